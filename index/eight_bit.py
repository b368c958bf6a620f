"""A language model whose matrices are whole numbers, for a CPU that multiplies those faster than fractions.

On two cores with AVX2 PyTorch's eight-bit kernels (FBGEMM) read 60 to 95 prompt tokens a second, where single precision
reads 46 and llama.cpp 30 to 50, and an answer takes half as long (`python -m evals.answer_times`). A row of a weight
matrix has one scale and 127 levels, a token's input to it one scale and 255 (quantisation by channel and by token:
Krishnamoorthi, Quantizing deep convolutional networks for efficient inference, 2018).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

WEIGHTS_FILE = "int8.safetensors"
"""Of every matrix its levels, int8, and its scales, float32 (`….scale`, one a row); all else as it was."""
KERNELS = "fbgemm"
"""The engine of PyTorch's that multiplies; it needs AVX2."""
WEIGHT_LEVELS = 63
"""Levels of a weight on either side of zero. With 127 the kernel's sums of two products overflow their 16 bits."""
INPUT_LEVELS = 127
"""Levels of an input on either side of zero; FBGEMM takes them as unsigned numbers around 128."""
ATTENTION = "sdpa_in_double"
"""Attention is computed in double precision. In single precision its last digit depends on how many tokens are read at
once, and the levels that it tips moved the log-odds of a yes by .2: they would depend on what was asked before."""


class EightBitLinear(torch.nn.Module):  # type: ignore[misc] # torch is untyped here
    """`torch.nn.Linear` with whole-number weights. What it gives a token does not depend on the others in its batch."""

    def __init__(self, levels: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        """Arrange a matrix for the kernel.

        Args:
            levels: (out, in), int8.
            scales: (out,), float32; `levels * scales[:, None]` are the weights.
            bias: (out,), or None.
        """
        super().__init__()
        zeros = torch.zeros(len(scales), dtype=torch.long)
        weight = torch._make_per_channel_quantized_tensor(levels, scales.double(), zeros, 0)
        self._packed = torch.ops.quantized.linear_prepack(weight, None)
        self._bias = None if bias is None else bias.detach().float()
        self.in_features, self.out_features = levels.shape[1], levels.shape[0]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The product, (…, out), float32, for inputs of (…, in)."""
        rows = inputs.reshape(-1, self.in_features).float()
        largest = rows.abs().amax(1, keepdim=True).clamp_(min=torch.finfo(torch.float32).tiny)
        product: torch.Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            rows / largest, 1 / INPUT_LEVELS, INPUT_LEVELS + 1, self._packed
        )
        product.mul_(largest)
        if self._bias is not None:
            product.add_(self._bias)
        return product.reshape(*inputs.shape[:-1], self.out_features)


class DifferentiableLinear(torch.nn.Module):  # type: ignore[misc] # as above
    """`EightBitLinear` with gradients, for training an adapter beside it: they too come back in whole numbers."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        """Arrange a matrix, (out, in), and its transpose for the kernel."""
        super().__init__()
        levels, scales = levels_and_scales(weight)
        self._ahead = EightBitLinear(levels, scales, bias)
        self._back = EightBitLinear(*levels_and_scales((levels * scales[:, None]).T.contiguous()), None)
        self.in_features, self.out_features = self._ahead.in_features, self._ahead.out_features

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The product, (…, out), float32, for inputs of (…, in)."""
        product: torch.Tensor = _Product.apply(inputs, self._ahead, self._back)
        return product


class _Product(torch.autograd.Function):  # type: ignore[misc] # as above
    @staticmethod
    def forward(context: Any, inputs: torch.Tensor, ahead: EightBitLinear, back: EightBitLinear) -> torch.Tensor:  # noqa: ANN401
        context.back = back
        return ahead(inputs)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # noqa: ANN401
        return context.back(gradient), None, None


class _Embedding(torch.nn.Module):  # type: ignore[misc] # as above
    """Rows of a table that stays in half the memory, in single precision."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight, requires_grad=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.embedding(tokens, self.weight).float()


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    **options: Any,  # noqa: ANN401 - what transformers hands on
) -> tuple[torch.Tensor, None]:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    mask = mask.double() if mask is not None and mask.is_floating_point() else mask
    attended, _ = sdpa_attention_forward(module, query.double(), key.double(), value.double(), mask, **options)
    return attended.float(), None


def levels_and_scales(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A matrix, (out, in), as int8 levels of its shape and float32 scales, (out,)."""
    weight = weight.detach().float()
    scales = weight.abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny) / WEIGHT_LEVELS
    return (weight / scales[:, None]).round_().to(torch.int8), scales


def write_eight_bit(model: Any, folder: Path) -> None:  # noqa: ANN401 - transformers ships no usable annotations
    """Write a model of transformers, its configuration and its weights, for `load_eight_bit`; it is no model after it.

    Raises:
        ValueError: The model holds more than embeddings and matrices that `EightBitLinear` stands for.
    """
    from safetensors.torch import save_file

    embedding = model.get_input_embeddings()
    linear = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    known = {id(parameter) for module in (embedding, *linear.values()) for parameter in module.parameters()}
    other = [name for name, tensor in model.named_parameters() if tensor.dim() > 1 and id(tensor) not in known]
    if type(embedding) is not torch.nn.Embedding or not model._supports_sdpa or other:
        raise ValueError(f"{type(model).__name__} has parts that int8 does not compute: choose the engine llamacpp")
    matrices = {f"{name}.weight" for name in linear}
    stored = {name: tensor for name, tensor in model.state_dict().items() if name not in matrices}
    for name, module in linear.items():
        levels, scales = levels_and_scales(module.weight)
        stored |= {f"{name}.weight": levels, f"{name}.scale": scales}
        module.weight = None  # both at once would be half as much memory again
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    save_file(stored, folder / WEIGHTS_FILE)


@contextmanager
def with_kernels() -> Iterator[None]:
    """PyTorch's eight-bit kernels, for layers that are made within it and after.

    They are deprecated, which PyTorch would say for each layer; ARCHITECTURE.md tells what follows.
    """
    torch.backends.quantized.engine = KERNELS
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor")
        yield


def load_eight_bit(folder: Path) -> Any:  # noqa: ANN401 - as above
    """The model of a folder that `write_eight_bit` wrote, as transformers runs it; 10 s for 1.5 billion weights.

    Raises:
        OSError, ValueError, KeyError: The folder is not what was written.
    """
    import accelerate
    import transformers
    from safetensors.torch import load_file
    from transformers.masking_utils import sdpa_mask

    transformers.AttentionInterface.register(ATTENTION, _attend)
    transformers.AttentionMaskInterface.register(ATTENTION, sdpa_mask)

    stored = load_file(folder / WEIGHTS_FILE)
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    with accelerate.init_empty_weights():
        model = transformers.AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, attn_implementation=ATTENTION
        )
    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    with with_kernels(), ThreadPoolExecutor(torch.get_num_threads()) as threads:
        for name, module in zip(linear, threads.map(lambda name: _taken(stored, name), linear), strict=True):
            model.set_submodule(name, module)
    embedding = next(name for name, module in model.named_modules() if module is model.get_input_embeddings())
    model.set_input_embeddings(_Embedding(stored.pop(f"{embedding}.weight").clone()))  # else the file stays mapped
    others = {name: tensor.float() for name, tensor in stored.items() if name in model.state_dict()}
    model.load_state_dict(others, strict=False, assign=True)
    empty = [name for name, tensor in model.state_dict().items() if tensor.is_meta]
    if empty:
        raise ValueError(f"{folder / WEIGHTS_FILE} does not hold {empty[0]}")
    model.generation_config = transformers.GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model.eval()


def _taken(stored: Mapping[str, torch.Tensor], name: str) -> EightBitLinear:
    return EightBitLinear(stored[f"{name}.weight"], stored[f"{name}.scale"], stored.get(f"{name}.bias"))
