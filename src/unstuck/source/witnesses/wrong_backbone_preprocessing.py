"""Images prepared for another network than the one that reads them."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Const

CODE = "PIP105"
_CAFFE = "BGR around 0"
_SIGNED = "-1 to 1"
_TORCH = "standardised"
_ITSELF = "0 to 255, prepared inside the network"
_BY_MODULE = {
    **dict.fromkeys(("vgg16", "vgg19", "resnet", "resnet50"), _CAFFE),
    **dict.fromkeys(("inception_v3", "xception", "mobilenet", "mobilenet_v2", "nasnet", "resnet_v2"), _SIGNED),
    **dict.fromkeys(("inception_resnet_v2", "resnet50v2"), _SIGNED),
    "densenet": _TORCH,
    **dict.fromkeys(("efficientnet", "efficientnet_v2", "mobilenet_v3", "convnext"), _ITSELF),
}
_BY_CLASS = {
    **dict.fromkeys(("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152"), _CAFFE),
    **dict.fromkeys(("InceptionV3", "Xception", "MobileNet", "MobileNetV2", "NASNetMobile", "NASNetLarge"), _SIGNED),
    **dict.fromkeys(("InceptionResNetV2", "ResNet50V2", "ResNet101V2", "ResNet152V2"), _SIGNED),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), _TORCH),
    **dict.fromkeys((f"EfficientNetB{n}" for n in range(8)), _ITSELF),
    **dict.fromkeys((f"EfficientNetV2{n}" for n in ("B0", "B1", "B2", "B3", "S", "M", "L")), _ITSELF),
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), _ITSELF),
    **dict.fromkeys((f"ConvNeXt{n}" for n in ("Tiny", "Small", "Base", "Large", "XLarge")), _ITSELF),
}
"""How keras.applications prepares the images of each family (`imagenet_utils.preprocess_input`)."""


def sightings(story: Story) -> Iterator[Sighting]:
    known = [network for network in story.networks if network.name in _BY_CLASS]
    backbones = [network for network in known if network.loaded or network.argument("weights", 1) != Const(None)]
    prepared = [
        (s.path.split(".")[-2], node) for s, node, _ in story.called if s.path.startswith("keras.applications.")
    ]
    used = [(module, node) for module, node in prepared if module in _BY_MODULE]
    if len({n.name for n in backbones}) != 1 or len({module for module, _ in used}) != 1 or backbones[0].node is None:
        return
    network, (module, node) = backbones[0], used[0]
    wanted, given = _BY_CLASS[network.name], _BY_MODULE[module]
    if wanted == given or node is None:
        return
    yield Sighting(
        node=node,
        message=f"images are prepared as for {module}, and {network.name} reads them",
        label=f"gives {given}",
        related=((backbones[0].node, f"expects {wanted}"),),
        conclusion="the weights were trained on images in another range, so the features are those of other pictures",
        help=f"take preprocess_input from the module of {network.name}",
    )
