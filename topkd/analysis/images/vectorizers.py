"""What images of trained networks need: vectorizers, the projection that was trained with a student, a fitted spec."""

from collections.abc import Mapping

from torch import nn

from topkd.analysis.image_error import exact_twin
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.vectorizers import RipsImage, RipsNet
from topkd.utils.checkpoint import load_state, load_weights


def vectorizers_of(loss: TopologyLoss, require_spec: bool = True) -> tuple[RipsImage | None, RipsNet | None]:
    """Return the exact image and, where a topology loss uses one, the RipsNet that approximates it.

    Args:
        loss (TopologyLoss): Of a built distiller. One that compares no images gets images of dimension 0, not fitted yet.
        require_spec (bool): Whether a RipsNet whose file holds no spec of its images is an error; else there is no exact
            image of it. Defaults to True.

    Raises:
        ValueError: If the RipsNet file holds no spec of its images.
    """
    network = getattr(loss.vectorizer, 'module', loss.vectorizer)
    if isinstance(network, RipsNet):
        return exact_twin(network) if require_spec or network.spec is not None else None, network
    return RipsImage() if network is None else network, None


def load_projections(loss: TopologyLoss, loss_name: str, checkpoints: Mapping[str, str]) -> dict[str, nn.Module | None]:
    """Read, for every student, the projection to the teacher's width that was trained with it.

    Args:
        loss (TopologyLoss): Of a built distiller.
        loss_name (str): Its name in ``model.losses``.
        checkpoints (Mapping[str, str]): By name of the student.

    Returns:
        dict: Modules by name, None for each where the widths agree.

    Raises:
        ValueError: If the widths differ and a checkpoint holds no projection, or one of another shape.
    """
    if loss.projection is None:
        return dict.fromkeys(checkpoints)
    prefix, result = f'losses.{loss_name}.projection.', {}
    for name, checkpoint in checkpoints.items():
        weights = load_state(checkpoint)
        found = {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}
        if not found:
            raise ValueError(
                f"checkpoint '{checkpoint}' holds no trained projection from the student's points of width "
                f"{loss.projection.in_features} to the teacher's of {loss.projection.out_features}: name the whole "
                'checkpoint of a distillation with this loss (epoch_*.pth); a student trained without it has none, '
                'leave it out'
            )
        projection = nn.Linear(loss.projection.in_features, loss.projection.out_features)
        load_weights(projection, checkpoint, f'{name}, projection', found)
        result[name] = projection.to(loss.projection.weight.device)
    return result


def load_spec(exact: RipsImage, loss_name: str, checkpoints: Mapping[str, str]) -> str | None:
    """Give exact images that were fitted during a training the spec of that training.

    Args:
        exact (RipsImage): Left as it is where it has a spec already.
        loss_name (str): Name of the topology loss.
        checkpoints (Mapping[str, str]): By name of the student; the first that holds a fitted spec is taken.

    Returns:
        str | None: Name of that student.
    """
    prefix = f'losses.{loss_name}.vectorizer.'
    for name, checkpoint in {} if exact.imager.fitted else checkpoints.items():
        found = {key[len(prefix) :]: value for key, value in load_state(checkpoint).items() if key.startswith(prefix)}
        if found.get('imager.fitted', False):
            load_weights(exact, checkpoint, f"{name}, images' spec", found)
            return name
    return None
