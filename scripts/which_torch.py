"""Say which build of torch was installed, and whether it is the right one for this machine; `make install` calls it."""

import torch


def main() -> None:
    cuda = torch.version.cuda
    print(f"torch {torch.__version__} for {f'CUDA {cuda}' if cuda else 'the processor'}")
    if cuda and not torch.cuda.is_available():
        print("No GPU answers here: the CPU build is a tenth of the size. Remove .venv and see the Makefile.")


if __name__ == "__main__":
    main()
