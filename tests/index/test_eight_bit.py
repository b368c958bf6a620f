"""Models with whole-number weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from index.eight_bit import (
    WEIGHTS_FILE,
    DifferentiableLinear,
    EightBitLinear,
    levels_and_scales,
    load_eight_bit,
    write_eight_bit,
)

pytestmark = pytest.mark.skipif(
    "fbgemm" not in torch.backends.quantized.supported_engines, reason="PyTorch has the kernels for x86 alone"
)


def linear(weight: torch.Tensor, bias: torch.Tensor | None = None) -> EightBitLinear:
    torch.backends.quantized.engine = "fbgemm"
    return EightBitLinear(*levels_and_scales(weight), bias)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_product_is_what_floats_give_but_for_a_hundredth() -> None:
    torch.manual_seed(0)
    weight, bias, inputs = (
        torch.randn(96, 64),
        torch.randn(96),
        torch.randn(2, 5, 64) * torch.logspace(-6, 6, 5)[:, None],
    )
    product = linear(weight, bias)(inputs) - bias
    exact = inputs @ weight.T
    assert product.shape == (2, 5, 96)
    assert torch.all((product - exact).norm(dim=-1) < 0.02 * exact.norm(dim=-1) + 1e-6)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_gradients_come_back_through_a_product_but_for_a_few_hundredths() -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(96, 64), torch.randn(96)
    inputs, gradient = torch.randn(2, 5, 64, requires_grad=True), torch.randn(2, 5, 96)
    layer = DifferentiableLinear(weight, bias)
    product = layer(inputs)
    assert torch.equal(product, linear(weight, bias)(inputs))
    product.backward(gradient)
    exact = gradient @ weight
    assert inputs.grad is not None
    assert torch.all((inputs.grad - exact).norm(dim=-1) < 0.03 * exact.norm(dim=-1))


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_a_row_does_not_depend_on_the_others() -> None:
    torch.manual_seed(0)
    layer, inputs = linear(torch.randn(96, 64)), torch.randn(40, 64)
    together = layer(inputs)
    assert all(torch.equal(together[at : at + 1], layer(inputs[at : at + 1])) for at in range(40))
    assert torch.equal(together[:7], layer(inputs[:7]))


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_sums_do_not_overflow(sign: int) -> None:
    layer = linear(torch.ones(8, 1536))
    assert layer(torch.full((1, 1536), float(sign))) == pytest.approx(sign * 1536.0)
    assert torch.equal(linear(torch.zeros(8, 16))(torch.zeros(3, 16)), torch.zeros(3, 8))


@pytest.fixture(params=["qwen2", "tied llama"])
def model(request: pytest.FixtureRequest) -> transformers.PreTrainedModel:
    torch.manual_seed(0)
    shape = {
        "vocab_size": 50,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    if request.param == "qwen2":
        config = transformers.Qwen2Config(**shape, tie_word_embeddings=False)
    else:
        config = transformers.LlamaConfig(**shape, tie_word_embeddings=True)
    made = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return made.eval()


def test_a_model_comes_back_nearly_as_it_was(model: transformers.PreTrainedModel, tmp_path: Path) -> None:
    tokens = torch.arange(40)[None]
    with torch.inference_mode():
        exact = model(tokens).logits.float()
        write_eight_bit(model, tmp_path)
        loaded = load_eight_bit(tmp_path)
        logits = loaded(tokens).logits
    assert logits.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(exact, logits, dim=-1).min() > 0.98
    assert loaded.generation_config.eos_token_id == model.generation_config.eos_token_id


def test_what_is_read_in_pieces_gives_the_same_to_the_last_bit(
    model: transformers.PreTrainedModel, tmp_path: Path
) -> None:
    write_eight_bit(model, tmp_path)
    loaded = load_eight_bit(tmp_path)
    tokens = torch.randint(0, 50, (1, 40))
    with torch.inference_mode():
        whole = loaded(tokens).logits[0, -1]
        for sizes in ([40], [39, 1], [7, 32, 1], [1] * 40):
            cache = transformers.DynamicCache(config=loaded.config)
            for piece in tokens.split(sizes, dim=1):
                last = loaded(piece, past_key_values=cache, use_cache=True).logits[0, -1]
            assert torch.equal(last, whole)


def test_a_file_without_a_part_of_the_model_is_refused(model: transformers.PreTrainedModel, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    write_eight_bit(model, tmp_path)
    stored = load_file(tmp_path / WEIGHTS_FILE)
    del stored["model.norm.weight"]
    save_file(stored, tmp_path / WEIGHTS_FILE)
    with pytest.raises(ValueError, match=r"does not hold model\.norm\.weight"):
        load_eight_bit(tmp_path)


def test_a_model_with_other_parts_is_refused(tmp_path: Path) -> None:
    config = transformers.GPT2Config(vocab_size=50, n_embd=32, n_layer=1, n_head=2)
    with pytest.raises(ValueError, match="choose the engine llamacpp"):
        write_eight_bit(transformers.AutoModelForCausalLM.from_config(config), tmp_path)
    scaled = transformers.Gemma3TextConfig(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=2, head_dim=16
    )
    with pytest.raises(ValueError, match="choose the engine llamacpp"):
        write_eight_bit(transformers.AutoModelForCausalLM.from_config(scaled), tmp_path)
    assert not list(tmp_path.iterdir())
