"""Called by peers.sh: the peers' side of the comparison, and the table."""

import ctypes
import glob
import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore", message="max_samples")
SEEDS = 3
scorer, ours, library, sets = sys.argv[1:5]


def cpu(call):
    """Processor seconds of call, and what it returns."""
    start = time.process_time()
    value = call()
    return time.process_time() - start, value


def sk(seed):
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1)


class Isotree:
    """isotree's core with the parameters of the standard forest, see isotree.cpp."""

    lib = ctypes.CDLL(library)
    lib.fit.restype = ctypes.c_void_p
    lib.fit.argtypes = [ctypes.c_void_p, *[ctypes.c_size_t] * 4, ctypes.c_uint64]
    lib.score.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    lib.release.argtypes = [ctypes.c_void_p]

    def __init__(self, seed):
        self.seed, self.forest = seed, None

    def fit(self, x):
        x = np.asfortranarray(x, dtype=np.float64)
        self.forest = self.lib.fit(x.ctypes.data, *x.shape, 100, min(256, len(x)), self.seed)
        if not self.forest:
            raise RuntimeError("isotree failed")
        return self

    def score(self, x):
        x = np.asfortranarray(x, dtype=np.float64)
        out = np.empty(len(x))
        self.lib.score(self.forest, x.ctypes.data, len(x), out.ctypes.data)
        return out

    def __del__(self):
        if self.forest:
            self.lib.release(self.forest)


def speed():
    x = np.random.default_rng(1).standard_normal((100_000, 20))
    rows = []
    for line in open(ours):
        m = re.match(r"Benchmark(Fit|Score)/(\S+).*?([\d.]+) cpu-(ms/fit|ns/row)", line)
        if m:
            rows.append(("inframind " + m[2], m[1], float(m[3])))
    for name, make, data, score in (
        ("scikit-learn", sk, x, lambda f, x: -f.score_samples(x)),
        ("isotree", Isotree, np.asfortranarray(x), Isotree.score),  # the layout each likes best
    ):
        seconds, forest = cpu(lambda make=make, data=data: make(1).fit(data))
        rows.append((name, "Fit", seconds * 1e3))
        seconds, _ = cpu(lambda score=score, forest=forest, data=data: score(forest, data))
        rows.append((name, "Score", seconds * 1e9 / len(x)))
    print("100 trees of 256 rows, 100,000 rows of 20 columns, one thread, processor time")
    for what, unit in (("Fit", "ms"), ("Score", "ns a row")):
        for name, kind, value in rows:
            if kind == what:
                print(f"  {what.lower():6} {name:24} {value:10.1f} {unit}")


def run_ours(flags, train, test, seed):
    with tempfile.TemporaryDirectory() as tmp:
        np.savetxt(tmp + "/train.csv", train, delimiter=",", fmt="%.9g")
        np.savetxt(tmp + "/test.csv", test, delimiter=",", fmt="%.9g")
        model = tmp + "/model"
        subprocess.run([scorer, "table", "fit", "--model", model, "--seed", str(seed), *flags, tmp + "/train.csv"], check=True)
        out = subprocess.run([scorer, "table", "score", "--model", model, tmp + "/test.csv"], check=True, capture_output=True)
        return np.array(out.stdout.split(), dtype=float)


def quality(held_out):
    """Prints the table for scores of held-out rows, or of the rows fitted on."""
    engines = {
        "inframind standard": lambda a, b, s: run_ours(["--standard"], a, b, s),
        "inframind default": lambda a, b, s: run_ours([], a, b, s),
        "scikit-learn": lambda a, b, s: -sk(s).fit(a).score_samples(b),
        "isotree": lambda a, b, s: Isotree(s).fit(a).score(b),
    }
    total = {name: [] for name in engines}
    what = "70:30 split" if held_out else "fitted on the rows that are scored"
    print(f"\nAUROC / average precision in per cent, {SEEDS} seeds, {what}\n  {'':14}" + "".join(f"{n:>22}" for n in engines))
    for path in sorted(glob.glob(sets + "/*.csv.gz")):
        data = np.loadtxt(gzip.open(path, "rt"), delimiter=",")
        x, y = data[:, :-1], data[:, -1]
        cells = []
        for name, engine in engines.items():
            got = []
            for seed in range(SEEDS):
                a, b, truth = x, x, y
                if held_out:
                    a, b, _, truth = train_test_split(x, y, test_size=0.3, stratify=y, random_state=seed)
                score = engine(a, b, seed + 1)
                got.append((100 * roc_auc_score(truth, score), 100 * average_precision_score(truth, score)))
            mean = np.mean(got, axis=0)
            total[name].append(mean)
            cells.append(f"{mean[0]:14.1f} / {mean[1]:5.1f}")
        print(f"  {os.path.basename(path)[:-7]:14}" + "".join(cells), flush=True)
    print(f"  {'mean':14}" + "".join(f"{np.mean(v, axis=0)[0]:14.1f} / {np.mean(v, axis=0)[1]:5.1f}" for v in total.values()))


speed()
if glob.glob(sets + "/*.csv.gz"):
    quality(held_out=False)
    quality(held_out=True)
else:
    print(f"\nno labelled sets in {sets}: set INFRAMIND_TESTDATA")
