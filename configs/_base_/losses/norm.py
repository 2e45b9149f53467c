# Liu et al. 2023; 8 copies, weight and schedule of the authors' code (OSVAI/NORM), no KD term. Their CE has a weight of
# 0.0625 to 0.5 by pair, of which they publish 0.1 for ResNet32x4-ResNet8x4 only (student_loss_weight of the model sets
# it), and reads logits that are standardized over the classes and multiplied by 2.5; here it reads the logits.
# The student needs a projector, see configs/methods/norm_resnet56-resnet20_cifar100.py.
norm = dict(
    type='topkd.NORMLoss',
    schedule=[(0, 0.1), (10, 0.5), (20, 1.0), (180, 0.5), (210, 0.1)],
    loss_weight=1.0,
    teacher_tap='@last_map',
)

# ImageNet: schedule and 8 copies of the authors' code, for 100 epochs; CE has weight 1 for ResNet18, and 0.125
# for a MobileNet of the first version, which is none of this repository's students.
imagenet = [(0, 0.1), (5, 0.5), (15, 0.9), (60, 0.5), (80, 0.1)]
norm_of = {
    'resnet34-resnet18_imagenet': dict(norm, schedule=imagenet),
    'resnet50-mobilenetv2_imagenet': dict(norm, schedule=imagenet),
}
