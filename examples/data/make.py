#!/usr/bin/env python3
"""Makes the two example tables from the copies in Debian's python3-sklearn (the UCI originals, CC BY 4.0).

breast_cancer.csv: Wolberg, Mangasarian, Street & Street 1995, doi:10.24432/C5DW2B; 569 rows, 30 features, anomaly = malignant.
digits.csv: Alpaydin & Kaynak 1998, doi:10.24432/C50P49 (its test part); 1797 rows, 64 pixels, anomaly = a written zero.
"""
import csv
import pathlib
from sklearn.datasets import load_breast_cancer, load_digits

here = pathlib.Path(__file__).parent


def write(name, columns, rows, labels):
    with open(here / name, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", *columns, "anomaly"])
        for i, (row, label) in enumerate(zip(rows, labels)):
            out.writerow([i, *(f"{v:.10g}" for v in row), int(label)])


cancer = load_breast_cancer()
write("breast_cancer.csv", cancer.feature_names, cancer.data, cancer.target == 0)
digits = load_digits()
write("digits.csv", [f"pixel {r},{c}" for r in range(8) for c in range(8)], digits.data, digits.target == 0)
