"""The paper's tables as plans of runs: what to run, what is done, what it would cost, paper and ours side by side."""
