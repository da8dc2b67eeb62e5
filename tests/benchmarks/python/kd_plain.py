"""The loop most people write: Dataset and DataLoader, transforms per sample, loss.item()."""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import common


class RandomCrop:
    def __call__(self, image):
        image = F.pad(image, [common.PAD] * 4)
        top, left = torch.randint(0, 2 * common.PAD + 1, (2,)).tolist()
        return image[..., top:top + common.SIDE, left:left + common.SIDE]


class RandomFlip:
    def __call__(self, image):
        return image.flip(-1) if torch.rand(1).item() < 0.5 else image


class ToFloat:
    def __call__(self, image):
        return image.float().div(255)


class Normalize:
    def __call__(self, image):
        return (image - common.MEAN) / common.STD


class FashionMnist(Dataset):
    def __init__(self, folder):
        self.images, self.labels = common.read_training_set(folder)
        self.transforms = [RandomCrop(), RandomFlip(), ToFloat(), Normalize()]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.images[index].unsqueeze(0)
        for transform in self.transforms:
            image = transform(image)
        return image, int(self.labels[index])


def batches_for_ever(loader):
    while True:
        yield from loader


def main():
    args = common.parse_arguments(
        __doc__, workers={"type": int, "default": 0, "help": "processes of the DataLoader"})
    teacher, student = common.build_models(args)
    loader = DataLoader(FashionMnist(args.data), args.batch, shuffle=True, drop_last=True,
                        num_workers=args.workers)
    batches = batches_for_ever(loader)
    optimizer = torch.optim.SGD(student.parameters(), lr=args.lr,
                                momentum=common.MOMENTUM, weight_decay=common.WEIGHT_DECAY)

    def step(watch):
        images, labels = (tensor.to(args.device) for tensor in next(batches))
        watch.lap("data")
        with torch.no_grad():
            soft = teacher(images)
        watch.lap("teacher")
        loss = common.distillation_loss(student(images), soft, labels)
        watch.lap("forward")
        optimizer.zero_grad()
        loss.backward()
        watch.lap("backward")
        optimizer.step()
        value = loss.item()
        watch.lap("optimizer")
        return value

    common.train(args, step)


if __name__ == "__main__":
    main()
