"""Writes a fitted scikit-learn ensemble as JSON that `picket import --from sklearn` reads.

    python picket_export.py MODEL.joblib OUT.json      (a file of joblib.dump or pickle.dump; open only files that you trust)
    from picket_export import save; save(model, "OUT.json")

Takes HistGradientBoosting (classifier, regressor), RandomForest and ExtraTrees (classifier, regressor) and IsolationForest,
scikit-learn 1.3 or newer. Needs numpy only. Numbers keep all their bits; nothing is recomputed that the model holds.
"""

import json
import sys

import numpy as np
import sklearn

CATEGORY_MAX = 4095


def names_of(model):
    names = getattr(model, "feature_names_in_", None)
    return [f"x{i}" for i in range(model.n_features_in_)] if names is None else [str(name) for name in names]


def document(model, kind, link, **rest):
    return {
        "format": "picket-trees",
        "version": 1,
        "library": f"scikit-learn {sklearn.__version__} {type(model).__name__}",
        "kind": kind,
        "link": link,
        "feature_names": names_of(model),
        "classes": [str(name) for name in getattr(model, "classes_", [])],
        "category_sets": [],
        "turn": None,
        "f32_input": False,
    } | rest


def whole(values):
    return [int(value) for value in values]


def numbers(values):
    return [float(value) for value in values]


def bit(words, code):
    return bool((int(words[code >> 5]) >> (code & 31)) & 1)


class HgbColumns:
    """Which input column a node's feature is, and which categories stand behind its codes."""

    def __init__(self, model):
        self.mask = getattr(model, "is_categorical_", None)
        inputs = np.arange(model.n_features_in_)
        if self.mask is None:
            self.order, self.categories = inputs, {}
            return
        preprocessor = getattr(model, "_preprocessor", None)
        if preprocessor is None:
            raise SystemExit("a model with categories needs scikit-learn 1.4 or newer")
        self.order = np.concatenate([inputs[self.mask], inputs[~self.mask]])
        encoder = preprocessor.named_transformers_["encoder"]
        self.categories = dict(enumerate(encoder.categories_))
        self.known, self.places = model._bin_mapper.make_known_categories_bitsets()

    def sets(self, feature, left_words):
        """Categories, as the input holds them, that go left, and all that are known."""
        left, known = [], []
        for code, category in enumerate(self.categories[feature]):
            if isinstance(category, float) and np.isnan(category):
                continue
            if not isinstance(category, (int, float, np.number)) or category != int(category):
                raise SystemExit(f"category {category!r} is not a whole number: encode categories as numbers first")
            if not 0 <= category <= CATEGORY_MAX:
                raise SystemExit(f"category {category!r} is not from 0 to {CATEGORY_MAX}")
            if bit(self.known[self.places[feature]], code):
                known.append(int(category))
            if bit(left_words, code):
                left.append(int(category))
        return {"left": left, "known": sorted(set(known) | set(left))}


def hgb_tree(predictor, columns, output, category_sets):
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    category = np.full(len(nodes), -1)
    for i in np.flatnonzero(inner & (nodes["is_categorical"] == 1)):
        words = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][i]]
        category[i] = len(category_sets)
        category_sets.append(columns.sets(int(nodes["feature_idx"][i]), words))
    splits = inner & (category < 0)
    nan_split = np.flatnonzero(splits & np.isposinf(nodes["num_threshold"]))
    threshold = np.where(splits & np.isfinite(nodes["num_threshold"]), nodes["num_threshold"], 0.0)
    return {
        "output": output,
        "feature": whole(np.where(inner, columns.order[np.where(inner, nodes["feature_idx"], 0)], 0)),
        "threshold": numbers(threshold),
        "nan_split": whole(nan_split),
        "category": whole(category),
        "missing_left": whole(nodes["missing_go_to_left"]),
        "left": whole(np.where(inner, nodes["left"].astype(np.int64), -1)),
        "right": whole(np.where(inner, nodes["right"].astype(np.int64), -1)),
        "value": numbers(np.where(inner, 0.0, nodes["value"])),
        "cover": numbers(nodes["count"]),
    }


def export_hgb(model):
    columns = HgbColumns(model)
    category_sets = []
    trees = [
        hgb_tree(predictor, columns, output, category_sets)
        for iteration in model._predictors
        for output, predictor in enumerate(iteration)
    ]
    base = numbers(np.ravel(model._baseline_prediction))
    turn = None
    if hasattr(model, "classes_"):
        link = {"kind": "logistic", "scale": 1} if len(base) == 1 else {"kind": "softmax"}
        turn = {"at": float(np.nextafter(0.0, 1.0)), "flags": "from"} if len(base) == 1 else None
    else:
        link = {"kind": "exp" if model.loss in ("poisson", "gamma") else "identity"}
    return document(model, "gbdt_logit", link, base=base, trees=trees, category_sets=category_sets, turn=turn)


def plain_tree(tree, output, value, features=None):
    """A tree of sklearn.tree; `value` gives every node's leaf value, `features` the columns it was grown on."""
    inner = tree.children_left >= 0
    feature = np.where(inner, tree.feature, 0)
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    return {
        "output": output,
        "feature": whole(np.where(inner, feature if features is None else features[feature], 0)),
        "threshold": numbers(np.where(inner & np.isfinite(tree.threshold), tree.threshold, 0.0)),
        "nan_split": whole(np.flatnonzero(inner & np.isposinf(tree.threshold))),
        "category": [-1] * tree.node_count,
        "missing_left": whole(np.where(inner, missing, 0)),
        "left": whole(tree.children_left),
        "right": whole(tree.children_right),
        "value": numbers(np.where(inner, 0.0, value)),
        "cover": numbers(tree.weighted_n_node_samples),
    }


def export_forest(model):
    if model.n_outputs_ != 1:
        raise SystemExit("a forest of several targets cannot be exported")
    classes = len(getattr(model, "classes_", []))
    outputs = [0] if classes == 0 else [1] if classes == 2 else list(range(classes))
    trees = [
        plain_tree(estimator.tree_, output, estimator.tree_.value[:, 0, column])
        for estimator in model.estimators_
        for output, column in enumerate(outputs)
    ]
    turn = {"at": float(np.nextafter(0.5, 1.0)), "flags": "from"} if classes == 2 else None
    rest = {"base": [0.0] * len(outputs), "trees": trees, "turn": turn, "f32_input": True}
    return document(model, "rf_mean", {"kind": "identity"}, **rest)


def first_normal_sum(divisor, offset):
    """The smallest sum of path lengths that is no outlier, by bisection on scikit-learn's own formula."""
    low, high = 0.0, float(divisor) * 64
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return high
        normal = -(2 ** -(np.full(16, middle) / divisor))[0] - offset >= 0
        low, high = (low, middle) if normal else (middle, high)


def export_isolation_forest(model):
    trees = [
        plain_tree(estimator.tree_, 0, lengths[0] + lengths[1] - 1.0, np.asarray(features))
        for estimator, features, *lengths in zip(
            model.estimators_,
            model.estimators_features_,
            model._decision_path_lengths,
            model._average_path_length_per_tree,
        )
    ]
    samples = model._max_samples
    mean = 2.0 * (np.log(samples - 1.0) + np.euler_gamma) - 2.0 * (samples - 1.0) / samples if samples > 2 else samples - 1.0
    if mean == 0:
        raise SystemExit("an isolation forest of one sample has no scores")
    divisor = float(len(model.estimators_) * mean)
    turn = {"at": first_normal_sum(divisor, model.offset_), "flags": "below"}
    rest = {"base": [0.0], "trees": trees, "turn": turn, "f32_input": True, "classes": ["normal", "outlier"]}
    return document(model, "iforest", {"kind": "depth", "divisor": divisor}, **rest)


def export(model):
    """The document of a fitted model. Raises SystemExit with the reason for what cannot be exported."""
    if hasattr(model, "_predictors") and hasattr(model, "_baseline_prediction"):
        return export_hgb(model)
    if hasattr(model, "_decision_path_lengths"):
        return export_isolation_forest(model)
    if hasattr(model, "estimators_") and hasattr(model, "n_outputs_") and hasattr(model, "predict"):
        return export_forest(model)
    raise SystemExit(f"{type(model).__name__} is none of the ensembles that can be exported, or is not fitted")


def save(model, path):
    with open(path, "w") as out:
        json.dump(export(model), out, separators=(",", ":"), allow_nan=False)
        out.write("\n")


def main(arguments):
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    try:
        from joblib import load
    except ImportError:
        import pickle

        def load(path):
            with open(path, "rb") as file:
                return pickle.load(file)

    save(load(arguments[0]), arguments[1])


if __name__ == "__main__":
    main(sys.argv[1:])
