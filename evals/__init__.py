"""The evaluation: question files, scores, runs, reports, comparisons, and the baseline to beat."""
