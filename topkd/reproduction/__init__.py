"""The paper's tables as plans of runs: what to run, what is done, what it would cost, paper and ours side by side.

Table -> Measure -> PairPlan -> Plan -> together (cohorts) / apart (operators) -> Queue -> Execution -> Call -> Report.
"""
