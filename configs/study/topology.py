# Does topology help? Bases, terms and weights of docs/study.md, run by `python tools/reproduce.py study`.
# Losses are written out and not inherited, so that a study that has begun does not change with the package's defaults.
kd = dict(type='topkd.KDLoss', tau=4.0)
standardized_kd = dict(type='topkd.KDLoss', standardize=True, tau=2.0)
dkd = dict(type='topkd.DKDLoss', alpha=1.0, beta=2.0, tau=4.0, warmup_epochs=3)  # 20 of 240 epochs, at the same share
# The published 16,384 negatives are more than the images that there are.
crd = dict(type='topkd.CRDLoss', embedding=128, num_negatives=1024, temperature=0.07, momentum=0.5)

cloud = dict(type='BatchCloud', num_points=64)
same_mean = dict(cloud, normalization='mean_distance')
ripsnet = dict(type='TopologyLoss', cloud=cloud, vectorizer=dict(type='RipsNet'))
exact = dict(type='TopologyLoss', cloud=cloud, vectorizer=dict(type='RipsImage'))

study = dict(
    pair='resnet32-resnet8_cifar100.py',
    second_pair='resnet56-resnet20_cifar100.py',
    # What a term is added to, beside the student's cross-entropy.
    bases=dict(
        CE=dict(title='CE'),
        KD=dict(title='CE + KD', loss=kd, weights=(1.0, 3.0, 9.0)),
        stdKD=dict(title='CE + standardized KD', loss=standardized_kd, weights=(3.0, 9.0, 27.0)),
    ),
    # Three weights a term; where they come from stands in docs/study.md.
    terms=dict(
        ripsnet=dict(title='RipsNet (TopKD)', kind='topology', loss=ripsnet, weights=(5.0, 50.0, 500.0)),
        ripsnet_scales=dict(
            title='RipsNet, other scales',
            kind='topology',
            loss=ripsnet,
            weights=(20.0, 60.0, 200.0),
            clouds=dict(scales=(0.1, 3.0)),
        ),
        ripsnet_mean=dict(
            title='RipsNet, mean distance 1',
            kind='topology',
            loss=dict(ripsnet, cloud=same_mean),
            weights=(2.5, 7.5, 25.0),
        ),
        exact=dict(title='exact image', kind='topology', loss=exact, weights=(20.0, 60.0, 200.0)),
        exact_mean=dict(
            title='exact image, mean distance 1',
            kind='topology',
            loss=dict(exact, cloud=same_mean),
            weights=(2.5, 7.5, 25.0),
        ),
        exact_norm=dict(
            title='exact image, unit norm',
            kind='topology',
            loss=dict(exact, cloud=dict(cloud, normalization='unit_norm')),
            weights=(2.0, 6.0, 20.0),
        ),
        sorted_deaths=dict(
            title='sorted deaths',
            kind='topology',
            loss=dict(type='TopologyLoss', cloud=cloud, distance='sorted_deaths'),
            weights=(0.4, 1.2, 4.0),
        ),
        sliced_wasserstein=dict(
            title='sliced Wasserstein',
            kind='topology',
            loss=dict(type='TopologyLoss', cloud=cloud, distance='sliced_wasserstein'),
            weights=(0.03, 0.1, 0.3),
        ),
        signature=dict(
            title='signature',
            kind='topology',
            loss=dict(type='TopologyLoss', cloud=cloud, distance='signature'),
            weights=(0.0003, 0.001, 0.003),
        ),
        rtd_lite=dict(
            title='RTD-Lite',
            kind='topology',
            loss=dict(type='TopologyLoss', cloud=cloud, distance='rtd_lite'),
            weights=(0.05, 0.15, 0.5),
        ),
        more_kd=dict(title='more KD', kind='control', loss=kd, weights=(1.0, 3.0, 9.0)),
        rkd=dict(
            title='RKD',
            kind='reference',
            loss=dict(type='topkd.RKDLoss', distance_weight=25.0, angle_weight=50.0),
            weights=(1 / 3, 1.0, 3.0),
        ),
        pkt=dict(title='PKT', kind='reference', loss=dict(type='topkd.PKTLoss'), weights=(1e4, 3e4, 9e4)),
        dist=dict(
            title='DIST',
            kind='reference',
            loss=dict(type='topkd.DISTLoss', beta=1.0, gamma=1.0, tau=4.0),
            weights=(1 / 3, 1.0, 3.0),
        ),
        dkd=dict(title='DKD', kind='reference', loss=dkd, weights=(1 / 3, 1.0, 3.0)),
        crd=dict(title='CRD', kind='reference', loss=crd, weights=(0.25, 0.8, 2.4)),
        fitnet=dict(
            title='FitNet',
            kind='reference',
            loss=dict(type='topkd.FitNetLoss', student_tap='@maps[1]'),
            weights=(30.0, 100.0, 300.0),
        ),
    ),
    # The base that terms are chosen, screened and compared on.
    main_base='KD',
    # No seed is used twice: what one stage chose, another has to confirm.
    seeds=dict(
        weights=(0,),
        screening=(1, 2),
        final=(3, 4, 5, 6, 7),
        second_pair=(3, 4, 5),
        replication=(10, 11, 12, 13, 14, 15, 16, 17),
    ),
    # What the screening lets through, see topkd/reproduction/study/screening.py.
    screening=dict(always=('ripsnet', 'more_kd'), topology=4, references=2, other_bases=2, margin=-0.3),
    # What runs once more on the first pair and the main base, on seeds of its own.
    replicated=('rtd_lite', 'rkd'),
    # When the question is answered, see topkd/reproduction/study/answer.py.
    answer=dict(level=0.05, negligible=0.5),
    # Runs of a cohort, at most.
    cohort=9,
    # RipsNets whose errors on all students' clouds are recorded, beside that of the first term.
    judged=('ripsnet_scales',),
    # Measurements of the clouds of every student, on validation images.
    clouds=dict(interval=5, clouds=16),
)
