# Tian et al. 2020; constants and weight of the CRD benchmark (RepDistiller): CE + 0.8 x CRD, no KD term. num_samples is
# the number of training images, here CIFAR-100's.
crd = dict(
    type='topkd.CRDLoss',
    num_samples=50_000,
    embedding=128,
    num_negatives=16_384,
    temperature=0.07,
    momentum=0.5,
    loss_weight=0.8,
)
