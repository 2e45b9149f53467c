# Deng et al. 2022; pathways and weight of the authors' code (bytedance/DistPro): CE + 1 x DistPro, no KD term. Without
# the file of a search all pathways weigh the same, which is where the authors' training begins. Search and training:
#   python tools/train.py configs/methods/search/distpro_resnet56-resnet20_cifar100.py
#   python tools/train.py configs/methods/distpro_resnet56-resnet20_cifar100.py --cfg-options \
#     model.losses.distpro.process=work_dirs/search/distpro_resnet56-resnet20_cifar100/process.json
# The authors published no search and no weight for ImageNet; there the same line is used.
distpro = dict(type='topkd.DistProLoss', process=None, loss_weight=1.0, student_tap=['@stem', '@pre_activation'])
