"""The same lines through scikit-learn's textbook pipeline and drain3; see peers.sh."""
import csv
import glob
import gzip
import logging
import os
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

logging.disable(logging.INFO)
data, corpus = sys.argv[1:]
systems = []
for path in sorted(glob.glob(os.path.join(data, "loghub", "*", "*_structured.csv*"))):
    f = gzip.open(path, "rt", errors="replace") if path.endswith(".gz") else open(path, errors="replace")
    systems.append([r["Content"] for r in csv.DictReader(f)])
lines = [s[i] for i in range(max(map(len, systems))) for s in systems if i < len(s)]


def show(name, work, n=len(lines)):
    t = time.process_time()
    work()
    print(f"{name:44s} {n / (time.process_time() - t):12.0f} lines/cpu-s")


rows = list(csv.DictReader(open(corpus, encoding="utf-8")))
pipe = make_pipeline(TfidfVectorizer(max_features=10000, ngram_range=(1, 2)), LogisticRegression(C=1.0, class_weight="balanced", max_iter=1000))
pipe.fit([r["message"] for r in rows], [r["label"] for r in rows])
show("scikit-learn TF-IDF + LogReg, batch", lambda: pipe.predict(lines))
show("scikit-learn TF-IDF + LogReg, line by line", lambda: [pipe.predict([l]) for l in lines[:500]], 500)


def mine(masks):
    config = TemplateMinerConfig()
    config.masking_instructions = [MaskingInstruction(p, m) for p, m in masks]
    miner = TemplateMiner(config=config)
    for l in lines:
        miner.add_log_message(l)


show("drain3, unmasked", lambda: mine([]))
show("drain3, masked", lambda: mine([(r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
                                     (r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+)((?=[^A-Za-z0-9])|$)", "HEX"),
                                     (r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM")]))
