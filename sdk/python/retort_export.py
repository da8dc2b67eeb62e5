"""Writes a PyTorch network as a file that Retort runs and trains.

    import torch, retort_export
    retort_export.save(model, torch.zeros(2, 3, 32, 32), "net.pt2")

Needs torch 2.11 to 2.14 and nothing else. The file is torch.export's, with two texts added:

    extra/retort.json       version (1); modes, those of "train" and "evaluate" that are there; main,
                            the mode of models/model.json; torch, its version; model, its class
    extra/retort_eval.json  beside a graph of training that of evaluation, over the same weights
"""
import contextlib
import functools
import io
import json
import warnings
import zipfile

import torch

_BATCH = 65536


def save(model, example, path, train=True):
    """Writes the graphs of training and of evaluation over one set of weights.

    model    an nn.Module; its weights, buffers and modes are left as they are.
    example  what forward takes: a tensor, a tuple of tensors, or a dict of keyword tensors. The first
             dimension of each is the batch, of any size; the others are fixed by the example.
    path     the file, NAME.pt2. torch.export.load reads it too.
    train    False writes evaluation alone, for a teacher whose training mode cannot be exported.
    Raises   TypeError of another example; RuntimeError where torch.export cannot follow the network,
             with its reason.
    """
    args, kwargs = _inputs(example)
    modes = [(module, module.training) for module in model.modules()]
    lost = set()
    try:
        with _watch_functions(lost), torch.enable_grad():
            evaluate = _export(model, args, kwargs, False)
            program = _export(model, args, kwargs, True) if train else evaluate
    finally:
        for module, training in modes:
            module.training = training
    if lost and train:
        warnings.warn("torch.export keeps no backward pass of autograd functions; these are trained by "
                      "the gradient of what they compute: " + ", ".join(sorted(lost)), stacklevel=2)
    written = ["train", "evaluate"] if train else ["evaluate"]
    extra = {"retort.json": json.dumps({"version": 1, "modes": written, "main": written[0],
                                        "torch": torch.__version__, "model": type(model).__qualname__})}
    if train:
        _add_constants(program, evaluate)
        extra["retort_eval.json"] = _graph_text(evaluate)
    torch.export.save(program, path, extra_files=extra)


def _inputs(example):
    """The arguments with at least two samples each: sizes 0 and 1 would be part of the graph."""
    def grow(tensor):
        if not isinstance(tensor, torch.Tensor) or tensor.dim() == 0 or len(tensor) == 0:
            raise TypeError("example must be a tensor, a tuple of tensors or a dict of keyword tensors, "
                            f"each of one sample or more; found {tensor!r:.60}")
        return tensor if len(tensor) > 1 else torch.cat([tensor, tensor])
    if isinstance(example, dict):
        return (), {name: grow(tensor) for name, tensor in example.items()}
    return tuple(map(grow, example if isinstance(example, (tuple, list)) else (example,))), {}


def _export(model, args, kwargs, training):
    batch = torch.export.Dim("batch", min=1, max=_BATCH)
    shapes = {name: {0: batch} for name in kwargs} if kwargs else tuple({0: batch} for _ in args)
    modules = tuple(name for name, _ in model.named_modules() if name)
    model.train(training)
    for kept in (modules, ()):  # what modules return is kept where their arguments can be
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", r"The tensor attributes self\.\S*_flat_weights")
                program = torch.export.export(model, args, kwargs, dynamic_shapes=shapes, strict=False,
                                              preserve_module_call_signature=kept)
        except Exception as reason:
            failure = reason
            continue
        nodes = [node for part in program.graph_module.modules() if isinstance(part, torch.fx.GraphModule)
                 for node in part.graph.nodes]  # those of regions, such as no_grad's, too
        for node in nodes:
            node.meta.pop("stack_trace", None)  # it holds the paths of this machine
        # Marks of modules' calls stay behind in such regions: then no program can run it.
        if not any("_export_tracepoint" in str(node.target) for node in nodes):
            return program
    mode, way_out = ("training", "; save(.., train=False) does for a teacher") if training else (
        "evaluation", "")
    raise RuntimeError(
        f"torch.export cannot follow {type(model).__name__} in {mode} mode: {failure}\nA network may not "
        "choose its way by numbers that are drawn or computed (layer drop: 0), nor write the batch size as "
        f"a number (x.shape[0] or -1 instead){way_out}.") from failure


def _add_constants(program, evaluate):
    """Puts numbers that evaluation reads into the file, under names that training does not have."""
    for spec in evaluate.graph_signature.input_specs:
        if spec.kind == torch.export.graph_signature.InputKind.CONSTANT_TENSOR:
            constant = evaluate.constants.pop(spec.target)
            if program.constants.get(spec.target) is not constant:
                spec.target = f"evaluate.{spec.target}"
            program.constants[spec.target] = evaluate.constants[spec.target] = constant


def _graph_text(program):
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    with zipfile.ZipFile(buffer) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/models/model.json"))
        return archive.read(name).decode()


@contextlib.contextmanager
def _watch_functions(names):
    """Collects the names of the autograd functions that run meanwhile, but for PyTorch's own."""
    def watch(function, forward):
        @functools.wraps(forward)
        def watched(*args, **kwargs):
            names.add(f"{function.__module__}.{function.__qualname__}")
            return forward(*args, **kwargs)
        return staticmethod(watched)

    functions, forwards = [torch.autograd.Function], {}
    for function in functions:  # it grows; their forward and not apply, of which code may hold a copy
        functions += function.__subclasses__()
        if "forward" in vars(function) and function.__module__.split(".")[0] != "torch":
            forwards[function] = vars(function)["forward"]
            function.forward = watch(function, function.forward)
    try:
        yield
    finally:
        for function, forward in forwards.items():
            function.forward = forward
