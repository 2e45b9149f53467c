# Kim et al. 2018; rate, weight and 30 epochs of the paraphraser from the CRD benchmark (RepDistiller): CE + 200 x FT,
# no KD term. The benchmark trains the paraphraser before the student, at learning rate 0.01; here its 30 epochs are
# the first of the run, at a fifth of the run's rate of 0.05. For two runs as in the benchmark:
#   first run:  --cfg-options train_cfg.max_epochs=30 optim_wrapper.optimizer.lr=0.01
#   second run: --cfg-options model.losses.ft.paraphraser=work_dirs/<first run>/epoch_30.pth
ft = dict(
    type='topkd.FTLoss',
    paraphraser=None,
    paraphraser_epochs=30,
    paraphraser_weight=0.2,
    rate=0.5,
    loss_weight=200.0,
    student_tap='@last_map',
)
