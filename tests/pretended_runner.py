"""As much of a runner as a hook that draws pictures needs, without a training."""

from types import SimpleNamespace

from mmengine.config import Config
from mmengine.logging import MessageHub


class Pictures:
    """A visualizer that keeps what it is given."""

    def __init__(self):
        self.images, self.scalars = [], {}

    def add_image(self, name, image, step):
        self.images.append((name, step, image.shape))

    def add_scalars(self, scalars, step):
        self.scalars.update(scalars)


def pretended_runner(model, dataset, collate) -> SimpleNamespace:
    """Return a runner of a model whose validation set is ``dataset``; ``log`` has the lines of its log."""
    log = []
    return SimpleNamespace(
        model=model,
        visualizer=Pictures(),
        val_loop=True,
        train_loop=object(),
        log=log,
        cfg=Config(dict(train_dataloader=dict(batch_size=8))),
        val_dataloader=SimpleNamespace(dataset=dataset, collate_fn=collate),
        message_hub=MessageHub('pretended'),
        logger=SimpleNamespace(info=log.append),
    )
