"""Two processes with half a cloud each train as one process with a whole one."""

import sys
from pathlib import Path

import torch
from tiny_detectors import batch, build, distiller, step
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from distributed import run  # noqa: E402


def model_and_data(kd=None):
    changes = {} if kd else dict(kd=None)
    model = build(
        distiller(
            num_points=4,
            topology=dict(
                vectorizer=dict(type='RipsImage', spec=dict(bandwidth=0.5, im_range=[0, 0, 0, 5], scale=10.0))
            ),
            **changes,
        )
    ).train()
    return model, batch()


def halves(data: dict, rank: int) -> dict:
    return {key: value[2 * rank : 2 * rank + 2] for key, value in data.items()}


def topology_gradients(rank: int, path: str) -> None:
    model, data = model_and_data()
    parallel = DistributedDataParallel(model, find_unused_parameters=False)
    prepared = model.data_preprocessor(halves(data, rank), True)
    losses = parallel(**prepared, mode='loss')
    # every parameter in the graph, only the topology term with a weight
    total = losses['loss_topology'] + 0 * model.parse_losses(losses)[0]
    total.backward()
    if rank == 0:
        torch.save(
            dict(
                loss=losses['loss_topology'].detach(),
                gradients={n: p.grad for n, p in model.named_parameters() if p.grad is not None},
            ),
            path,
        )


def steps(rank: int, path: str) -> None:
    topology_gradients(rank, path)
    model, data = model_and_data(kd=True)
    parallel = DistributedDataParallel(model, find_unused_parameters=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for boxes in (data, batch(boxes=[[], [], [], []])):  # the second has no object anywhere
        prepared = model.data_preprocessor(halves(boxes, rank), True)
        optimizer.zero_grad()
        loss, logs = model.parse_losses(parallel(**prepared, mode='loss'))
        loss.backward()
        optimizer.step()
        assert loss.isfinite() and 'loss_kd' in logs


def test_gathered_clouds_equal_one_process_and_whole_steps_use_every_parameter(tmp_path):
    run(steps, str(tmp_path / 'rank0.pth'))
    got = torch.load(tmp_path / 'rank0.pth', weights_only=True)
    model, data = model_and_data()
    loss = step(model, data)['loss_topology']
    loss.backward()
    assert loss > 0
    assert torch.allclose(got['loss'], loss, rtol=1e-4)
    expected = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    scale = max(gradient.abs().max().item() for gradient in expected.values())
    assert sum(gradient.abs().max().item() > 0.01 * scale for gradient in expected.values()) > 10
    for name, gradient in expected.items():
        assert torch.allclose(got['gradients'][name], gradient, atol=1e-4 * scale), name
