# Guo et al. 2023; the authors' settings for ResNet56-ResNet20: CE + 0.7 x CAT-KD, no KD term. Their other pairs:
#   ResNet110-ResNet32 1.8, ResNet32x4-ResNet8x4 15, WRN40-2-WRN16-2 12, WRN40-2-WRN40-1 1.5, VGG13-VGG8 4.5;
#   with normalize=True: VGG13-MobileNetV2 15 and ResNet50-MobileNetV2 40;
#   with normalize=True, resolution=4: ResNet32x4-ShuffleNetV1 and -V2 600, WRN40-2-ShuffleNetV1 80.
catkd = dict(type='topkd.CATKDLoss', resolution=2, normalize=False, loss_weight=0.7)
