"""The paper's tables as plans of runs: what to run, what is done, what it would cost, paper and ours side by side.

A plan is made by Planner: Table -> Recipe (its Runs) -> Measure -> JobBuilder -> Plan; then ``arrange`` puts students
together (``cohorts``) and operators of RipsNet apart (``operators``). It is run by Execution -> Queue -> Call, and told
by Report. A job is a call of a tool (``jobs``, ``ripsnet_jobs``, ``analysis_job``): it knows what it needs and makes,
when it is done, and what it found.
"""
