"""The peer of bench/training.ts: one fit of scikit-learn's HistGradientBoostingClassifier on the same file of rows.

    python bench/training_peer.py FILE ROWS FEATURES ITERATIONS LEAVES
Prints one line of JSON: seconds, peak and earlier resident bytes of this process.
"""

import json
import resource
import sys
import time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

path, rows, features, iterations, leaves = sys.argv[1], *map(int, sys.argv[2:])
data = np.fromfile(path).reshape(features + 1, rows)
x, y = np.ascontiguousarray(data[:-1].T), data[-1].astype(int)
del data
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
begin = time.perf_counter()
HistGradientBoostingClassifier(max_iter=iterations, max_leaf_nodes=leaves, early_stopping=False).fit(x, y)
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peakBytes": peak, "beforeBytes": before}))
