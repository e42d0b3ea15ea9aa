"""Threads of matrix products: all libraries that have some keep to the number, and get theirs back."""

import subprocess
import sys

SCRIPT = """
import os
os.environ.update(OPENBLAS_NUM_THREADS="2", MKL_NUM_THREADS="2")
from threadpoolctl import threadpool_info
from bottega.workflow.threads import product_threads
count = lambda: {one["filepath"]: one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}
with product_threads(1):
    import sklearn.svm
    inside = count()
print(set(inside.values()), set(count().values()))
"""


def test_a_library_that_is_loaded_later_keeps_to_it_too() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split("} {")[0] == "{1"
