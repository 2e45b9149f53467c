# Passalis and Tefas 2018; weight of the CRD benchmark (RepDistiller): CE + 30000 x PKT, no KD term.
pkt = dict(type='topkd.PKTLoss', loss_weight=30000.0)
