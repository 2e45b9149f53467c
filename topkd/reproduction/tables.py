"""Which pairs and which variants of them make up each table of the paper."""

from collections.abc import Sequence
from typing import NamedTuple

from topkd.reproduction.measures import Analysis, Measure, Probes, RipsNets, Students
from topkd.reproduction.variants import (
    EXACT,
    KD,
    R56_R20,
    R101_R18,
    SORTED,
    STUDENT,
    TOPKD,
    Variant,
    ablation,
    methods,
    word_of,
)

TOP1, TOP5 = {'accuracy/top1': 'top-1'}, {'accuracy/top5': 'top-5'}
AP = {'coco/bbox_mAP': 'AP', 'coco/bbox_mAP_50': 'AP50', 'coco/bbox_mAP_75': 'AP75'}
MSE = {'mean': 'validation MSE, mean', 'sum': 'validation MSE, sum'}
SCORES = {'silhouette': 'silhouette', 'calinski_harabasz': 'Calinski-Harabasz', 'davies_bouldin': 'Davies-Bouldin'}

# the paper's rows that have a loss here; a method that gets one becomes a row by its name (docs/methods.md)
CIFAR_METHODS = methods(('FitNet', 'AT', 'VID', 'OFD', 'CC', 'SP', 'FSP', 'RKD', 'PKT', 'CRD', 'CRCD'))
# FSP needs equal widths
CIFAR_METHODS_OTHER = tuple(variant for variant in CIFAR_METHODS if variant.name not in ('FSP', 'CRCD'))
IMAGENET_METHODS = methods(
    ('AT', 'OFD', 'SemCKD', 'CRD', 'CAT-KD', 'RKD', 'ReviewKD', 'DKD', 'SRRL', 'MGD', 'DistPro', 'NORM')
)
ONE_STAGE_METHODS = methods(('FitNet', 'CWD', 'PKD', 'MGD', 'ReviewKD'), 'retinanet_r101-r18_coco')
COCO_METHODS = methods(('FitNet', 'FGFI', 'DKD', 'ReviewKD'), R101_R18)
TRANSFER_METHODS = methods(('AT', 'CRD', 'ReviewKD', 'DKD', 'CAT-KD'))
TODAYS_METHODS = (
    *methods(('LSKD', 'DIST', 'NST', 'FT', 'DKD', 'ReviewKD', 'SemCKD', 'SRRL', 'MGD', 'CAT-KD', 'CWD', 'DistPro')),
    *methods(('NORM',)),
    Variant('SimKD', 'SimKD (no CE)', 'methods/simkd_{pair}.py'),
)
# rows without a run, and why
ABSENT_METHODS = dict(DPK='its layers and constants are not published (docs/methods.md)')


class Table(NamedTuple):
    """A table of the paper, or one of our own.

    Attributes:
        title (str): As printed.
        pairs (tuple[str, ...]): Pairs in the paper's order, configs of ``configs/topkd``.
        variants (tuple[Variant, ...]): Runs of each pair, the KD control among them.
        metrics (dict[str, str]): Heading by key of ``results.json``.
        measure (Measure): What is measured of each pair: its students, probes or an analysis of them, or its RipsNets;
            then the metrics are those that it leaves.
        paper (tuple[str, ...]): Tables of the paper that hold numbers of these pairs and variants; none: the one of
            this name.
        ranked (bool): Whether the rows are sorted by the first metric, and the cost of a step stands beside it.
        paired (bool): Whether differences to the KD control are given seed by seed, with their 95 % interval.
        absent (dict[str, str]): Methods that have a row but no run, and why.
    """

    title: str
    pairs: tuple[str, ...]
    variants: tuple[Variant, ...] = (STUDENT, KD, TOPKD)
    metrics: dict[str, str] = TOP1
    measure: Measure = Students()
    paper: tuple[str, ...] = ()
    ranked: bool = False
    paired: bool = False
    absent: dict[str, str] = {}

    def only(self, words: Sequence[str]) -> 'Table':
        """Return the table with some of its variants, beside plain student and KD control, which always stay.

        Args:
            words (Sequence[str]): Names of variants; case and hyphens do not matter.

        Raises:
            ValueError: If there is no such variant; the message lists those that there are.
        """
        wanted = [word_of(word) for word in words]
        names = [*(variant.name for variant in self.variants), *self.absent]
        known = {word_of(name) for name in names}
        unknown = [word for word, plain in zip(words, wanted) if plain not in known]
        if unknown:
            raise ValueError(f'--methods {",".join(unknown)}: unknown in this table, which has {", ".join(names)}')
        kept = (STUDENT, KD, *self.measure.asks)
        return self._replace(
            variants=tuple(v for v in self.variants if v in kept or v.word in wanted),
            absent={name: reason for name, reason in self.absent.items() if word_of(name) in wanted},
        )


CIFAR_SAME = (
    R56_R20,
    'resnet110-resnet20_cifar100',
    'resnet110-resnet32_cifar100',
    'resnet32x4-resnet8x4_cifar100',
    'wrn40_2-wrn16_2_cifar100',
    'wrn40_2-wrn40_1_cifar100',
    'vgg13-vgg8_cifar100',
)
CIFAR_OTHER = (
    'vgg13-mobilenetv2_cifar100',
    'resnet50-mobilenetv2_cifar100',
    'resnet50-vgg8_cifar100',
    'resnet32x4-shufflenetv1_cifar100',
    'resnet32x4-shufflenetv2_cifar100',
    'wrn40_2-shufflenetv1_cifar100',
)
COCO = (R101_R18, 'faster-rcnn_r101-r50_coco', 'faster-rcnn_r50-mv2_coco')
ONE_STAGE = ('retinanet_r101-r18_coco', 'gfl_r101-r18_coco', 'yolox_l-s_coco')
SCENES = 'faster-rcnn_r18w32-r18w16_digit-scenes'
SCENES_CLOUDS = (
    Variant('exact', 'exact images', 'topkd/{pair}_exact.py', SCENES),
    Variant('objects', 'exact images, clouds of objects', 'topkd/{pair}_objects.py', SCENES),
    Variant('spatial', 'exact images, clouds of cells', 'topkd/{pair}_spatial.py', SCENES),
)
R34_R18, R50_MV2 = 'resnet34-resnet18_imagenet', 'resnet50-mobilenetv2_imagenet'
# one pair for each teacher of Table 14
CIFAR_TEACHERS = (*CIFAR_SAME[:2], *CIFAR_SAME[3:5], CIFAR_SAME[6], CIFAR_OTHER[1])
DIMS = (
    TOPKD._replace(label='dimension 0 (TopKD)'),
    ablation('homology-1', 'dimension 1'),
    ablation('homology-0-1', 'dimensions 0 and 1'),
)
POINTS = tuple(
    ablation(f'points-{count}', f'{count} points') if count != 64 else TOPKD._replace(label='64 points (TopKD)')
    for count in (8, 16, 32, 64, 128, 256)
)


def _stages(student: int, teacher: int) -> Variant:
    label = f"student's stage {student}, teacher's {teacher}"
    if student == teacher == 4:
        return TOPKD._replace(label=f'{label} (TopKD)')
    return ablation(f'stages-{student}-{teacher}', label)


def _weights(term: str, own: int, values: tuple[int, ...]) -> tuple[Variant, ...]:
    return tuple(
        ablation(f'{term}-weight-{value}', f'weight {value} of {term}')
        if value != own
        else TOPKD._replace(label=f'weight {value} of {term} (TopKD)')
        for value in values
    )


TABLES: dict[str, Table] = dict(
    table1=Table('CIFAR-100, pairs of one style', CIFAR_SAME, (STUDENT, KD, *CIFAR_METHODS, TOPKD)),
    table2=Table('CIFAR-100, pairs of different styles', CIFAR_OTHER, (STUDENT, KD, *CIFAR_METHODS_OTHER, TOPKD)),
    table3=Table(
        'ImageNet, ResNet34-ResNet18', (R34_R18,), (STUDENT, KD, *IMAGENET_METHODS, TOPKD), metrics={**TOP1, **TOP5}
    ),
    table4=Table(
        'ImageNet, ResNet50-MobileNetV2', (R50_MV2,), (STUDENT, KD, *IMAGENET_METHODS, TOPKD), metrics={**TOP1, **TOP5}
    ),
    table5=Table('Homology dimensions', (R56_R20,), (KD, *DIMS)),
    table6=Table('Loss terms', (R56_R20,), (STUDENT, KD, ablation('no-kd', 'CE + Top'), TOPKD)),
    table7=Table('Stage by stage', (R56_R20,), (KD, *(_stages(s, t) for s in range(1, 5) for t in range(1, 5)))),
    table8=Table(
        'Approximated images of teacher and student',
        CIFAR_OTHER,
        (TOPKD,),
        {'mse': 'MSE of approximated images'},
        measure=Analysis('analysis/images.py', '--split', 'train'),
    ),
    table9=Table('COCO, Faster R-CNN FPN', COCO, (STUDENT, KD, *COCO_METHODS, TOPKD), metrics=AP),
    table10=Table(
        'Transfer of frozen features',
        (CIFAR_OTHER[1],),
        (STUDENT, KD, *TRANSFER_METHODS, TOPKD),
        measure=Probes('transfer/stl10.py', 'transfer/tiny-imagenet.py'),
    ),
    table11=Table('Weight of topology', (R56_R20,), (KD, *_weights('topology', 5, (1, 2, 5, 7, 10, 25, 50)))),
    table12=Table('Weight of KD', (R56_R20,), (KD, *_weights('kd', 2, (1, 2, 3, 5, 7, 10)))),
    table14=Table("RipsNets of CIFAR-100's teachers", CIFAR_TEACHERS, (TOPKD,), MSE, measure=RipsNets()),
    table15=Table("RipsNets of ImageNet's teachers", (R50_MV2, R34_R18), (TOPKD,), MSE, measure=RipsNets()),
    table16=Table('RipsNets by homology dimension', (R56_R20,), DIMS, MSE, measure=RipsNets()),
    table17=Table('RipsNets by number of points', (R56_R20,), POINTS, MSE, measure=RipsNets()),
    table18=Table("RipsNets of COCO's teachers", COCO, (TOPKD,), MSE, measure=RipsNets()),
    table19=Table(
        'RipsNets by stage', (R56_R20,), tuple(_stages(stage, stage) for stage in range(1, 5)), MSE, measure=RipsNets()
    ),
    table20=Table(
        'Diagrams of teacher and student',
        CIFAR_SAME + CIFAR_OTHER[:2] + CIFAR_OTHER[3:],
        metrics={'bottleneck': 'bottleneck distance', 'bottleneck_scale_free': 'bottleneck distance, scale-free'},
        measure=Analysis('analysis/bottleneck.py'),
    ),
    table21=Table(
        'Clusters of embeddings in the plane of UMAP',
        (CIFAR_OTHER[0],),
        metrics=SCORES,
        measure=Analysis('analysis/embeddings.py'),
    ),
    figure3=Table('Number of points of a cloud', (R56_R20,), (STUDENT, KD, *POINTS)),
    methods=Table(
        'Every method on one pair (not in the paper)',
        (R56_R20,),
        (STUDENT, KD, *CIFAR_METHODS, *TODAYS_METHODS, TOPKD, EXACT),
        paper=('table1', 'table2'),
        ranked=True,
        absent=ABSENT_METHODS,
    ),
    digits=Table(
        "TopKD on scikit-learn's digits (not in the paper)",
        ('resnet20-resnet8_digits',),
        measure=Students('analysis/images.py'),
    ),
    scenes=Table(
        'TopKD for detectors on scenes of digits (not in the paper)',
        (f'{SCENES}_exact',),
        metrics=AP,
        measure=Students('analysis/detections.py'),
    ),
    one_stage=Table(
        'COCO, one-stage detectors (not in the paper)',
        ONE_STAGE,
        (STUDENT, KD, *ONE_STAGE_METHODS, TOPKD, EXACT),
        metrics=AP,
    ),
    scenes_study=Table(
        'Clouds and images of detectors on scenes of digits (not in the paper)',
        (SCENES,),
        (STUDENT, KD, TOPKD, *SCENES_CLOUDS),
        metrics=AP,
        paired=True,
    ),
    exact=Table(
        'RipsNet, exact images and sorted deaths (not in the paper)', (R56_R20,), (STUDENT, KD, TOPKD, EXACT, SORTED)
    ),
)
