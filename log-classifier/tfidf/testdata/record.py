#!/usr/bin/env python3
"""Records what scikit-learn computes, for TestParity. Run from this folder:

    python3 record.py ../../corpus/core.csv > sklearn.json
"""
import csv
import json
import re
import sys

import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

NAMES = ["critical", "warning", "informational", "noise"]
rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
clean = lambda s: re.sub(r"\d+", "num", s)
texts = [clean(r["message"]) for r in rows]
y = [NAMES.index(r["label"]) for r in rows]
train = [i for i in range(len(rows)) if i % 4 == 0]
test = [i for i in range(len(rows)) if i % 40 == 1]
out = {"sklearn": sklearn.__version__, "runs": []}
for sublinear in (False, True):
    v = TfidfVectorizer(max_features=10000, ngram_range=(1, 2), sublinear_tf=sublinear)
    x = v.fit_transform([texts[i] for i in train])
    m = LogisticRegression(C=1.0, class_weight="balanced", max_iter=2000, tol=1e-8).fit(x, [y[i] for i in train])
    p = m.predict_proba(v.transform([texts[i] for i in test]))
    words = sorted(v.vocabulary_)[::97]
    out["runs"].append({
        "sublinear": sublinear,
        "features": len(v.vocabulary_),
        "idf": {w: round(float(v.idf_[v.vocabulary_[w]]), 9) for w in words},
        "probabilities": [[round(float(q), 5) for q in row] for row in p],
    })
json.dump(out, sys.stdout, indent=0)
print()
