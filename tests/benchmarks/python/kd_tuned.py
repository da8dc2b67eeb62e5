"""A tuned PyTorch loop: resident data, batched views, channels_last, fused SGD, no waiting."""

import torch
import torch.nn.functional as F

import common


class Views:
    """Random crops (padding 2) and flips of whole batches of resident uint8 images, or the views
    of a trace: a safetensors file of int64 [steps, batch] named index, top, left and flip."""

    def __init__(self, images, labels, batch, trace=None):
        self.images = F.pad(images, [common.PAD] * 4)  # [60000, 32, 32], zero bytes around
        self.labels, self.batch = labels, batch
        self.span = torch.arange(common.SIDE, device=images.device)
        self.order = iter(())
        self.trace = None
        if trace is not None:
            columns = common.read_safetensors(trace)
            self.trace = zip(*(columns[name] for name in ("index", "top", "left", "flip")))

    def draw(self):
        chosen = next(self.order, None)
        if chosen is None or len(chosen) < self.batch:
            self.order = iter(torch.randperm(len(self.labels), device=self.span.device).split(self.batch))
            chosen = next(self.order)
        device = self.span.device
        top, left = torch.randint(0, 2 * common.PAD + 1, (2, len(chosen)), device=device)
        return chosen, top, left, torch.randint(0, 2, (len(chosen),), device=device)

    def __next__(self):
        view = self.draw() if self.trace is None else next(self.trace, None)
        if view is None:
            raise SystemExit("the trace has fewer steps than --warmup plus --steps ask for")
        chosen, top, left, flip = (column.to(self.span.device) for column in view)
        rows = top[:, None] + self.span
        columns = left[:, None] + torch.where(flip[:, None] != 0, self.span.flip(0), self.span)
        views = self.images[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        views = views.unsqueeze(1).to(torch.float32, memory_format=torch.channels_last)
        views.mul_(1 / (255 * common.STD)).sub_(common.MEAN / common.STD)
        return views, self.labels[chosen]


def main():
    args = common.parse_arguments(
        __doc__, trace={"metavar": "FILE", "help": "replay these views instead of drawing some"})
    teacher, student = common.build_models(args, torch.channels_last)
    images, labels = (tensor.to(args.device) for tensor in common.read_training_set(args.data))
    views = Views(images, labels, args.batch, args.trace)
    optimizer = torch.optim.SGD(student.parameters(), lr=args.lr,
                                momentum=common.MOMENTUM, weight_decay=common.WEIGHT_DECAY,
                                fused=True)

    def step(watch):
        images, labels = next(views)
        watch.lap("data")
        with torch.no_grad():
            soft = teacher(images)
        watch.lap("teacher")
        loss = common.distillation_loss(student(images), soft, labels)
        watch.lap("forward")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        watch.lap("backward")
        optimizer.step()
        watch.lap("optimizer")
        return loss.detach()

    common.train(args, step)


if __name__ == "__main__":
    main()
