"""Writes networks as exported programs, with what PyTorch makes of them, for tests to compare with.

    python3 make_reference.py FOLDER [NAME ...]     NAME.pt2, NAME.ref.safetensors

The reference holds the inputs in.K; the outputs eval.K and train.K; of the loss, the sum of the first
output times proj, the gradients grad.NAME; the buffers after that pass buf.NAME; what modules return
in evaluation tap.PATH; and what random operators drew in training draw.NODE. Training runs PyTorch's
own network, with its own dropout; the draws are those of a second run, node by node, which must come
to the same bits.
"""
import json
import math
import pathlib
import struct
import sys
import warnings
import zipfile

import torch

sys.path[:0] = [str(pathlib.Path(__file__).parents[2] / "sdk/python")]
import retort_export  # noqa: E402

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
aten = torch.ops.aten
DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32",
          torch.bool: "BOOL", torch.bfloat16: "BF16", torch.float16: "F16"}


def write_safetensors(path, tensors):
    head, parts, end = {}, [], 0
    for name, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        data = bytes(tensor.reshape(-1).view(torch.uint8).untyped_storage())[
            tensor.storage_offset() * tensor.element_size():][:tensor.nbytes]
        head[name] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape),
                      "data_offsets": [end, end + len(data)]}
        end += len(data)
        parts.append(data)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


class Drawing(torch.fx.Interpreter):
    """Runs a graph node by node and notes what its random operators draw."""

    def __init__(self, module):
        super().__init__(module)
        self.draws = {}

    def mask(self, name, like, keep):
        self.draws[name] = mask = torch.empty_like(like.detach()).bernoulli_(keep)
        return mask.clone().div_(keep)

    def run_node(self, node):
        if node.op != "call_function":
            return super().run_node(node)
        args, kwargs = self.fetch_args_kwargs_from_env(node)
        schema = getattr(node.target, "_schema", None)
        given = {} if schema is None else {a.name: a.default_value for a in schema.arguments}
        if schema is not None:
            given.update(zip([a.name for a in schema.arguments], args))
            given.update(kwargs)
        draw = getattr(self, "draw_" + str(node.target).removeprefix("aten.").split(".")[0], None)
        if draw is None or not str(node.target).startswith("aten."):
            return super().run_node(node)
        result = draw(node.name, given)
        return super().run_node(node) if result is None else result

    def draw_dropout(self, name, given):
        if given["train"] and given["p"] > 0:
            return given["input"] * self.mask(name, given["input"], 1 - given["p"])

    def draw_dropout_(self, name, given):
        if given["train"] and given["p"] > 0:
            return given["self"].mul_(self.mask(name, given["self"], 1 - given["p"]))

    def draw_feature_dropout(self, name, given):
        if given["train"] and given["p"] > 0:
            x = given["input"]
            like = x.new_empty(x.shape[:2] + (1,) * (x.dim() - 2))
            return x * self.mask(name, like, 1 - given["p"])

    def draw_bernoulli_(self, name, given):
        self.draws[name] = given["self"].bernoulli_(given["p"]).clone()
        return given["self"]

    def draw_rand(self, name, given):
        self.draws[name] = drawn = torch.rand(given["size"], dtype=given["dtype"])
        return drawn.clone()

    def draw_scaled_dot_product_attention(self, name, given):
        if given["dropout_p"] == 0:
            return None
        q, k, v = given["query"], given["key"], given["value"]
        root = math.sqrt(given["scale"] or 1 / math.sqrt(q.shape[-1]))
        scores = (q * root) @ (k * root).transpose(-2, -1)
        mask = given["attn_mask"]
        if given["is_causal"]:
            mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
        if mask is not None:
            if mask.dtype == torch.bool:
                mask = torch.zeros_like(mask, dtype=q.dtype).masked_fill_(~mask, -math.inf)
            scores = scores + mask
        scores = aten._safe_softmax(scores, -1)
        return (scores * self.mask(name, scores, 1 - given["dropout_p"])) @ v

    def draw_lstm(self, name, given):
        if not given["train"] or given["dropout"] == 0:
            return None
        x, (h, c), layers = given["input"], given["hx"], given["num_layers"]
        count, ways = len(given["params"]) // layers, 2 if given["bidirectional"] else 1
        hidden, cells = [], []
        for i in range(layers):
            part = slice(i * ways, (i + 1) * ways)
            x, last, cell = aten.lstm.input(
                x, [h[part], c[part]], given["params"][i * count:(i + 1) * count],
                given["has_biases"], 1, 0.0, True, given["bidirectional"], given["batch_first"])
            hidden.append(last)
            cells.append(cell)
            if i + 1 < layers:
                x = x * self.mask(f"{name}.{i}", x, 1 - given["dropout"])
        return x, torch.cat(hidden), torch.cat(cells)


def flatten(output):
    return [t for t in torch.utils._pytree.tree_leaves(output) if isinstance(t, torch.Tensor)]


def call(model, inputs):
    return flatten(model(**inputs) if isinstance(inputs, dict) else model(inputs))


def first_real(outputs):
    return next(output for output in outputs if output.is_floating_point())


def may_draw(path):
    with zipfile.ZipFile(path) as archive:
        text = archive.read(next(n for n in archive.namelist() if n.endswith("models/model.json")))
    return any(word in text for word in (b"dropout", b"bernoulli", b"aten.rand", b"aten.lstm"))


def find_draws(path, model, inputs, outputs, seed):
    """What random operators draw in training with this seed; the outputs must be PyTorch's own."""
    program = torch.export.load(path)
    state = {**dict(model.named_parameters(remove_duplicate=False)),
             **{name: buffer.clone() for name, buffer in model.named_buffers()}}
    values = []
    left = list(inputs.values()) if isinstance(inputs, dict) else [inputs]
    for spec in program.graph_signature.input_specs:
        if spec.target is None:
            values.append(left.pop(0))
        else:
            values.append(state[spec.target] if spec.target in state
                          else program.constants[spec.target])
    torch.manual_seed(seed)
    drawing = Drawing(program.graph_module)
    drawn = flatten(drawing.run(*values))  # with gradients, as training: else other kernels run
    for output, own in zip(drawn, outputs):
        if not torch.equal(output, own):
            difference = (output - own).abs().max().item()
            print(f"{path}: drawn node by node, an output differs by {difference}", file=sys.stderr)
    return drawing.draws


def write_reference(folder, name, model, example, inputs, seed=0):
    program = folder / f"{name}.pt2"
    retort_export.save(model, example, str(program))
    found = {}
    for i, tensor in enumerate(inputs.values() if isinstance(inputs, dict) else [inputs]):
        found[f"in.{i}"] = tensor.clone()
    taps, hooks = {}, []
    for path, module in model.named_modules():
        def keep(_module, _inputs, output, path=path):
            if isinstance(output, torch.Tensor) and path and path not in taps:
                taps[path] = output.clone()
        hooks.append(module.register_forward_hook(keep))
    model.eval()
    with torch.no_grad():
        outputs = call(model, inputs)
    for hook in hooks:
        hook.remove()
    found.update({f"eval.{i}": output.clone() for i, output in enumerate(outputs)})
    found.update({f"tap.{path}": tap for path, tap in taps.items()})
    model.train()
    before = {key: value.clone() for key, value in model.named_buffers()}
    torch.manual_seed(seed)
    outputs = call(model, inputs)
    after = {key: value.clone() for key, value in model.named_buffers()}
    found.update({f"train.{i}": output.detach().clone() for i, output in enumerate(outputs)})
    torch.manual_seed(seed + 1)
    found["proj"] = torch.randn(first_real(outputs).shape)
    (first_real(outputs) * found["proj"]).sum().backward()
    for key, value in model.named_parameters():
        if value.grad is not None:
            found[f"grad.{key}"] = value.grad
    persistent = model.state_dict()
    found.update({f"buf.{key}": value for key, value in after.items() if key in persistent})
    with torch.no_grad():
        for key, value in model.named_buffers():
            value.copy_(before[key])
    draws = find_draws(str(program), model, inputs, outputs, seed) if may_draw(program) else {}
    found.update({f"draw.{node}": drawn for node, drawn in draws.items()})
    write_safetensors(folder / f"{name}.ref.safetensors", found)


def write_plain(path, model, example):
    """As a user's own torch.export.save writes it: the graph of training alone, without modules."""
    args, kwargs = ((), example) if isinstance(example, dict) else ((example,), {})
    batch = torch.export.Dim("batch", min=1, max=1024)
    shapes = {k: {0: batch} for k in kwargs} if kwargs else ({0: batch},)
    model.train()
    torch.export.save(torch.export.export(model, args, kwargs, dynamic_shapes=shapes, strict=False),
                      str(path))


def write_network(folder, name, network, with_plain=False):
    make, example, inputs = network
    torch.set_num_threads(1)
    torch.manual_seed(7)
    model, one = make(), example()
    write_reference(folder, name, model, one, inputs())
    if with_plain:
        write_plain(folder / f"{name}.plain.pt2", model, one)


def main():
    from networks import NETWORKS
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or NETWORKS:
        write_network(folder, name, NETWORKS[name])


if __name__ == "__main__":
    main()
