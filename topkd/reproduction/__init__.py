"""The paper's tables as plans of runs: what to run, what is done, what it would cost, paper and ours side by side.

A plan is made by Table -> Measure -> JobBuilder -> Plan -> together (cohorts) and apart (operators of RipsNet), run by
Queue -> Execution -> Call, and told by Report.
"""
