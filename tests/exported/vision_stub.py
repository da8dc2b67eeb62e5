"""Lets timm and transformers import where torchvision's own operators do not load beside this torch."""
import torch


def define_operators():
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library  # it goes with its last name
