"""What makes the images of trained networks: the vectorizers of a loss, and the spec that a training fitted."""

from collections.abc import Mapping

from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.vectorizers import RipsImage, RipsNet
from topkd.utils.checkpoint import load_state, load_weights


def vectorizers_of(loss: TopologyLoss, require_spec: bool = True) -> tuple[RipsImage | None, RipsNet | None]:
    """Return the exact image and, if a topology loss uses one, the RipsNet that approximates it.

    Args:
        loss (TopologyLoss): Of a built distiller. One that compares no images, but distances or other vectors, gets
            images of dimension 0, not fitted yet.
        require_spec (bool): Whether a RipsNet whose file holds no spec of its images is an error; else there is no
            exact image of it. Defaults to True.

    Raises:
        ValueError: If the RipsNet file holds no spec of its images.

    Example:
        >>> exact, ripsnet = vectorizers_of(TopologyLoss(vectorizer=dict(type='RipsImage', resolution=(1, 20))))
        >>> exact.resolution, ripsnet
        ((1, 20), None)
    """
    network = loss.network
    if isinstance(network, RipsNet):
        return exact_twin(network) if require_spec or network.spec is not None else None, network
    return network if isinstance(network, RipsImage) else RipsImage(), None


def exact_twin(ripsnet: RipsNet) -> RipsImage:
    """Return the exact image of the spec that a RipsNet was trained for.

    Raises:
        ValueError: If the file holds no spec, as the authors' files do.

    Example:
        >>> ripsnet = RipsNet(16)
        >>> ripsnet.spec = dict(bandwidth=0.5, im_range=[0.0, 1.0, 0.0, 2.0], scale=4.0)
        >>> exact_twin(ripsnet).imager.spec()['scale']
        4.0
    """
    if ripsnet.spec is None:
        raise ValueError(
            'the RipsNet file holds no spec of its images (bandwidth, range, scale), so exact images cannot be '
            'compared with it: train one with tools/gen_pi.py and tools/train_ripsnet.py'
        )
    return RipsImage(ripsnet.homology_dims, ripsnet.resolution, ripsnet.spec)


def load_spec(exact: RipsImage, loss_name: str, checkpoints: Mapping[str, str]) -> str | None:
    """Give exact images that were fitted during a training the spec of that training.

    Args:
        exact (RipsImage): Left as it is if it has a spec already.
        loss_name (str): Name of the topology loss.
        checkpoints (Mapping[str, str]): By name of the student; the first that holds a fitted spec is taken.

    Returns:
        str | None: Name of that student.

    Example:
        >>> load_spec(RipsImage(), 'topology', {}) is None
        True
    """
    prefix = f'losses.{loss_name}.vectorizer.'
    for name, checkpoint in {} if exact.imager.fitted else checkpoints.items():
        found = {key[len(prefix) :]: value for key, value in load_state(checkpoint).items() if key.startswith(prefix)}
        if found.get('imager.fitted', False):
            load_weights(exact, checkpoint, f"{name}, images' spec", found)
            return name
    return None
