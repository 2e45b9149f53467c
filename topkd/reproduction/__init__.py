"""The paper's tables as plans of runs: what to run, what is done, what it would cost, paper and ours side by side.

A plan is made by Table -> Measure -> JobBuilder -> Plan -> together (cohorts) and apart (operators of RipsNet), run by
Queue -> Execution -> Call, and told by Report. A job is a call of a tool (``jobs``, ``ripsnet_jobs``,
``analysis_job``): it knows what it needs and makes, when it is done, and what it found.
"""
