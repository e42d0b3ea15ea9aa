"""Which numbers the products are computed in, by what the processor can do."""

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

__all__ = ["autocast", "best_precision", "for_processor", "has_bfloat16_unit", "has_gpu", "working"]


def has_gpu() -> bool:
    """Whether there is a GPU that this build of torch can use."""
    return torch.cuda.is_available()


def has_bfloat16_unit(device: str = "cpu") -> bool:
    """Whether bfloat16 products have a unit of their own here; emulated, they are slower than float32."""
    if device.startswith("cuda"):
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    if device != "cpu":
        return False
    abilities = _abilities()
    return abilities.get("avx512_bf16", False) or abilities.get("amx_bf16", False)


def _abilities() -> Mapping[str, bool]:
    if hasattr(torch.cpu, "get_capabilities"):  # since torch 2.10
        found: Mapping[str, bool] = torch.cpu.get_capabilities()
        return found
    return {"avx512_bf16": bool(torch.cpu._is_avx512_bf16_supported())}


def best_precision(module: nn.Module, device: str = "cpu") -> str:
    """What `Settings.precision` should be: bfloat16 for convolutions where there is a unit, else float32."""
    convolves = any(isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) for layer in module.modules())
    return "bfloat16" if convolves and has_bfloat16_unit(device) else "float32"


def autocast(precision: str, device: str) -> contextlib.AbstractContextManager[object]:
    """Products in `precision` within the block; weights and sums stay float32."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.partition(":")[0], torch.bfloat16)


def for_processor(x: Tensor) -> Tensor:
    """Pictures with the channels last, the layout that convolution units read in one go."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


@contextlib.contextmanager
def working(threads: int, seed: int) -> Iterator[None]:
    """Torch with so many threads and its global generators seeded; both are given back as they were.

    Dropout draws from the global generators: torch offers it no other.
    """
    before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
