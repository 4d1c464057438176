"""The EfficientNet-Lite0 graph in ONNX, in float32 and in int8.

Architecture: EfficientNet-Lite0 (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite):
EfficientNet-B0 (Tan and Le, 2019) without squeeze-and-excitation and with relu6 in place of swish. The
names of the weights are those of the Python package ``efficientnet-lite-pytorch``, the reference that
the tests compare with. The classifier is left off: the output is the average of the last 7 x 7 map.

Both graphs take uint8 pictures, shape (n, 224, 224, 3), RGB. The network's input (x - 127) / 128 is just
what DequantizeLinear computes with scale 1/128 and zero point 127, so int8 starts from the pixels
without any arithmetic. Quantisation follows Jacob et al., "Quantization and Training of Neural Networks
for Efficient Integer-Arithmetic-Only Inference" (2018), in the QDQ form of the ONNX Runtime documentation
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from efficientnet_lite.weights import Weights
from lookalike.errors import ModelError
from lookalike.features.embedding.graph import fold_batch_norm
from lookalike.records.arrays import Float32Array

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

SIZE_PX = 224
N_DIMENSIONS = 1280
GRAPH_VERSION = 1
"""Raised whenever the same weights and ranges would give another graph."""

INPUT_NAME, OUTPUT_NAME = "pictures", "embeddings"
INPUT_SCALE, INPUT_ZERO_POINT = 1 / 128, 127
BATCH_NORM_PARTS = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
REDUCTION = 32
"""How many times smaller the last map is than the picture: five strides of 2."""
FLOAT = 1
"""TensorProto.FLOAT, without importing onnx."""
RELU6_RANGE = (0.0, 6.0)
# Opset 17 and IR version 8 are of 2022: every ONNX Runtime that we accept reads them.
OPSET, IR_VERSION = 17, 8

# Kernel side, stride, expansion, output channels, repeats: one line a stage.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)

Range = tuple[float, float]


@dataclass(frozen=True)
class Convolution:
    """One convolution with its batch norm folded in.

    Parameters
    ----------
    name : str
        Names its output in the graph.
    weight : float32 array, shape (out, in / groups, k, k)
    bias : float32 array, shape (out,)
    stride : int
    groups : int
        1, or for a depthwise one its channels.
    relu6 : bool
        Whether its output is clipped to 0..6.
    sources : dict
        Names of the tensors it is folded from.
    """

    name: str
    weight: Float32Array
    bias: Float32Array
    stride: int
    groups: int
    relu6: bool
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Convolutions in a row; with `skip`, the block's input is added to what they give."""

    name: str
    convolutions: tuple[Convolution, ...]
    skip: bool


def read_blocks(weights: Weights) -> list[Block]:
    """Return the network, input first, from the tensors of its state dict.

    Raises
    ------
    ModelError
        A tensor is missing.
    """
    try:
        return list(_iter_blocks(weights))
    except KeyError as error:
        raise ModelError(f"the weights have no tensor {error}: they are not EfficientNet-Lite0's.") from error


def _iter_blocks(weights: Weights) -> Iterator[Block]:
    yield Block("stem", (_fold(weights, "_conv_stem", "_bn0", name="stem", stride=2),), skip=False)
    number = 0
    for _kernel, first_stride, expansion, _channels, repeats in STAGES:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            convolutions = tuple(_iter_block_convolutions(weights, number, stride, expansion > 1))
            yield Block(f"block{number}", convolutions, skip=repeat > 0)
            number += 1
    yield Block("head", (_fold(weights, "_conv_head", "_bn1", name="head"),), skip=False)


def _iter_block_convolutions(
    weights: Weights, number: int, stride: int, expands: bool
) -> Iterator[Convolution]:
    source, name = f"_blocks.{number}.", f"block{number}."
    if expands:
        yield _fold(weights, source + "_expand_conv", source + "_bn0", name=name + "expand")
    yield _fold(weights, source + "_depthwise_conv", source + "_bn1", name=name + "depthwise", stride=stride)
    yield _fold(weights, source + "_project_conv", source + "_bn2", name=name + "project", relu6=False)


def _fold(
    weights: Weights, convolution: str, batch_norm: str, *, name: str, stride: int = 1, relu6: bool = True
) -> Convolution:
    sources = {"weight": f"{convolution}.weight"} | {
        part: f"{batch_norm}.{source}" for part, source in BATCH_NORM_PARTS.items()
    }
    weight, bias = fold_batch_norm({part: weights[key].astype(np.float64) for part, key in sources.items()})
    groups = len(weight) if name.endswith("depthwise") else 1
    return Convolution(name, weight, bias, stride, groups, relu6, sources)


def build_float32(blocks: Sequence[Block], *, watched: Sequence[str] = ()) -> ModelProto:
    """Return the graph in float32.

    Parameters
    ----------
    blocks : from `read_blocks`
    watched : names of tensors to give out as well, after the embeddings (see `ranged_names`)

    Returns
    -------
    ONNX model, uint8 (n, 224, 224, 3) RGB -> float32 (n, 1280), not normalised
    """
    return _Writer().write(blocks, watched)


def build_int8(blocks: Sequence[Block], ranges: Mapping[str, Range]) -> ModelProto:
    """Return the graph quantised to 8 bits: activations per tensor, weights per output channel.

    Parameters
    ----------
    blocks : from `read_blocks`
    ranges : (lowest, highest) value of every tensor of `ranged_names`; lowest < 0 < highest

    Returns
    -------
    ONNX model, uint8 (n, 224, 224, 3) RGB -> float32 (n, 1280), not normalised

    Raises
    ------
    ModelError
        A range is missing.
    """
    if missing := set(ranged_names(blocks)) - set(ranges):
        raise ModelError(f"there are no activation ranges for {', '.join(sorted(missing))}.")
    return _QuantizedWriter(ranges).write(blocks)


def ranged_names(blocks: Sequence[Block]) -> list[str]:
    """Return the names of the tensors that int8 needs a range for, in the order of the graph.

    Those behind a relu6 are not among them: they all reach 6 on photos, so their range is 0..6.
    """
    names: list[str] = []
    for block in blocks:
        names += [convolution.name for convolution in block.convolutions if not convolution.relu6]
        names += [f"{block.name}.sum"] if block.skip else []
    return names


def same_padding(size_px: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after a side of `size_px`, as TensorFlow's padding ``SAME`` has them.

    The output has ``ceil(size / stride)`` positions and an odd zero goes after, so a stride of 2 pads an
    even side unevenly: 0 and 1 for a kernel of 3, 1 and 2 for one of 5.
    """
    n_outputs = -(-size_px // stride)
    total = max((n_outputs - 1) * stride + kernel - size_px, 0)
    return total // 2, total - total // 2


class _Writer:
    """Writes the float32 graph node by node; a tensor is called by the name of its layer."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def write(self, blocks: Sequence[Block], watched: Sequence[str] = ()) -> ModelProto:
        from onnx import TensorProto, helper

        self._node("Transpose", [INPUT_NAME], "pixels", perm=[0, 3, 1, 2])
        tensor, size_px = self._begin("pixels"), SIZE_PX
        for block in blocks:
            tensor, size_px = self._block(block, tensor, size_px)
        self._pool(tensor)
        given_out = [
            helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, ["n", N_DIMENSIONS]),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in watched),
        ]
        taken_in = helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, ["n", SIZE_PX, SIZE_PX, 3])
        graph = helper.make_graph(
            self.nodes, "efficientnet-lite0", [taken_in], given_out, list(self.constants.values())
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="lookalike",
        )

    def _block(self, block: Block, source: str, size_px: int) -> tuple[str, int]:
        tensor = source
        for convolution in block.convolutions:
            tensor = self._convolution(convolution, tensor, size_px)
            size_px = -(-size_px // convolution.stride)
        if block.skip:
            addends = [self._as_float(tensor), self._as_float(source)]
            tensor = self._finish(self._node("Add", addends, f"{block.name}.sum/raw"), relu6=False)
        return tensor, size_px

    def _convolution(self, convolution: Convolution, source: str, size_px: int) -> str:
        kernel = convolution.weight.shape[-1]
        before, after = same_padding(size_px, kernel, convolution.stride)
        raw = self._node(
            "Conv",
            [self._as_float(source), *self._parameters(convolution, source)],
            f"{convolution.name}/raw",
            kernel_shape=[kernel, kernel],
            strides=[convolution.stride] * 2,
            pads=[before, before, after, after],
            group=convolution.groups,
        )
        return self._finish(raw, relu6=convolution.relu6)

    def _begin(self, pixels: str) -> str:
        return self._dequantize(pixels, INPUT_SCALE, INPUT_ZERO_POINT, np.uint8)

    def _as_float(self, tensor: str) -> str:
        return tensor

    def _parameters(self, convolution: Convolution, source: str) -> list[str]:
        del source  # float weights do not depend on the scale of what they multiply
        return [
            self._constant(f"{convolution.name}/weight", convolution.weight),
            self._constant(f"{convolution.name}/bias", convolution.bias),
        ]

    def _finish(self, raw: str, *, relu6: bool) -> str:
        bounds = [self._constant(f"relu6/{bound}", np.float32(bound)) for bound in RELU6_RANGE]
        name = raw.removesuffix("/raw")
        # ONNX Runtime drops the Identity; it gives the tensor the name by which it can be watched.
        return self._node("Clip", [raw, *bounds], name) if relu6 else self._node("Identity", [raw], name)

    def _pool(self, tensor: str) -> None:
        self._node("GlobalAveragePool", [tensor], "pooled")
        self._node("Flatten", ["pooled"], OUTPUT_NAME)

    def _dequantize(
        self, source: str, scale: Any, zero_point: Any, dtype: type[np.generic], axis: int | None = None
    ) -> str:
        parameters = self._step_constants(source, scale, zero_point, dtype)
        attributes = {} if axis is None else {"axis": axis}
        return self._node("DequantizeLinear", [source, *parameters], f"{source}/float", **attributes)

    def _step_constants(
        self, name: str, scale: Any, zero_point: Any, dtype: type[np.generic]
    ) -> tuple[str, str]:
        return (
            self._constant(f"{name}/scale", np.asarray(scale, np.float32)),
            self._constant(f"{name}/zero_point", np.asarray(zero_point, dtype)),
        )

    def _constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        from onnx import numpy_helper

        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output


class _QuantizedWriter(_Writer):
    """Writes the same graph with every tensor but the last rounded to 8 bits.

    relu6 needs no node of its own: the rounding saturates at the ends of the range.
    """

    def __init__(self, ranges: Mapping[str, Range]) -> None:
        super().__init__()
        self.ranges = ranges
        self.scales: dict[str, float] = {}
        self.zero_points: dict[str, int] = {}
        self.floats: dict[str, str] = {}

    def _begin(self, pixels: str) -> str:
        self.scales[pixels], self.zero_points[pixels] = INPUT_SCALE, INPUT_ZERO_POINT
        return pixels

    def _as_float(self, tensor: str) -> str:
        # A block's input is read twice, by its first convolution and by its sum.
        if tensor not in self.floats:
            scale, zero_point = self.scales[tensor], self.zero_points[tensor]
            self.floats[tensor] = self._dequantize(tensor, scale, zero_point, np.uint8)
        return self.floats[tensor]

    def _parameters(self, convolution: Convolution, source: str) -> list[str]:
        scales = weight_scales(convolution, self.scales[source])
        weight = np.rint(convolution.weight / scales[:, None, None, None]).astype(np.int8)
        bias = np.rint(convolution.bias / (scales * self.scales[source])).astype(np.int32)
        zeros = np.zeros(len(scales))
        return [
            self._dequantize(
                self._constant(f"{convolution.name}/weight", weight), scales, zeros, np.int8, axis=0
            ),
            self._dequantize(
                self._constant(f"{convolution.name}/bias", bias),
                scales * self.scales[source],
                zeros,
                np.int32,
                axis=0,
            ),
        ]

    def _finish(self, raw: str, *, relu6: bool) -> str:
        name = raw.removesuffix("/raw")
        low, high = RELU6_RANGE if relu6 else self.ranges[name]
        scale = (high - low) / 255
        zero_point = int(np.clip(np.rint(-low / scale), 0, 255))
        self.scales[name], self.zero_points[name] = scale, zero_point
        self._node("QuantizeLinear", [raw, *self._step_constants(name, scale, zero_point, np.uint8)], name)
        return name

    def _pool(self, tensor: str) -> None:
        # ONNX Runtime keeps int8 tensors channels-last, so this Transpose cancels one of its own. What is
        # summed are the 8-bit values: their sums are whole numbers, so no order of summation, and with it
        # no CPU and no batch size, changes a bit of the result.
        self._node("Transpose", [tensor], "channels_last", perm=[0, 2, 3, 1])
        self._node("Cast", ["channels_last"], "whole_numbers", to=FLOAT)
        places = self._constant("places", np.array([1, 2], np.int64))
        self._node("ReduceSum", ["whole_numbers", places], "sums", keepdims=0)
        n_places = (SIZE_PX // REDUCTION) ** 2
        step = self._constant("step", np.float32(self.scales[tensor] / n_places))
        self._node("Mul", ["sums", step], OUTPUT_NAME)


def weight_scales(convolution: Convolution, input_scale: float) -> NDArray[np.float64]:
    """Return the step between the int8 weights of every output channel.

    It is the smallest step for which all of these hold:

    - every weight fits into -127..127;
    - two weights next to each other in the order of summation have positive parts that add up to at most
      128, and so have their negative parts. CPUs without VNNI instructions add the products of two such
      pairs, with activations up to 255, in 16 bits and saturate (vpmaddubsw): 255 x 128 = 32640 fits.
      Depthwise convolutions are not computed that way and are exempt;
    - the bias fits into int32 (it matters where all weights of a channel are 0).

    Parameters
    ----------
    convolution : of a network as `read_blocks` gives it
    input_scale : step between the 8-bit values of its input

    Returns
    -------
    float64 array, shape (out,), positive

    See ``docs/decisions/0003-int8-that-does-not-depend-on-the-cpu.md`` for what the limit costs.
    """
    weight = convolution.weight.astype(np.float64)
    steps = np.abs(weight).max(axis=(1, 2, 3)) / 127
    if convolution.groups == 1:
        # ONNX Runtime sums row by row of the kernel, and at each place over the input channels.
        row = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)
        pairs = np.pad(row, ((0, 0), (0, row.shape[1] % 2))).reshape(len(weight), -1, 2)
        largest = np.maximum(np.maximum(pairs, 0).sum(axis=2), np.maximum(-pairs, 0).sum(axis=2)).max(axis=1)
        # Rounding may lengthen each of the two by a half: 127 + 0.5 + 0.5 = 128.
        steps = np.maximum(steps, largest / 127)
    least_for_bias = np.abs(convolution.bias.astype(np.float64)) / (2**30 * input_scale)
    steps = np.maximum(steps, least_for_bias)
    return np.asarray(np.maximum(steps, np.finfo(np.float32).tiny), np.float64)
