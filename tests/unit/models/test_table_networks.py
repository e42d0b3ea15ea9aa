"""Every network of a table: torch, the published blocks and ONNX Runtime say the same."""

import numpy as np
import pytest
import torch
from onnxruntime import InferenceSession

from bottega.models.table_plans import TABLE_PLANS, Layout
from bottega.models.tables import ByteDropout, TableNet, number_edges
from bottega.shipping.tails import tail_model
from bottega.training.table_fit import to_form

LAYOUT = Layout(5, (1, 3, 4))


def rows(n=300):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, 13)).astype(np.float32)
    z[:, 1] = rng.integers(0, 2, n)  # a number with two values
    z[:, 2] = 1.5  # and one with a single one
    z[:, 5:] = rng.integers(0, 2, (n, 8))
    return z


def network(name, n_outputs, layout=LAYOUT):
    torch.manual_seed(3)
    net = TableNet(TABLE_PLANS[name], layout, n_outputs, number_edges(rows()[:, : layout.n_number]))
    for parameter in net.parameters():  # away from where some of them start, at zero or one
        parameter.data += 0.1 * torch.randn(parameter.shape)
    return net.eval()


@pytest.mark.parametrize("layout", [LAYOUT, Layout(0, (1, 5, 7))], ids=["mixed", "no numbers"])
@pytest.mark.parametrize("name", TABLE_PLANS)
def test_the_file_answers_as_torch(name, layout):
    z = rows()
    z[0, :5], z[1, :5] = 20, -20  # as far as the dense matrix goes
    net = network(name, 3, layout)
    with torch.inference_mode():
        members = net(torch.from_numpy(z))
    assert members.shape == (300, TABLE_PLANS[name].k, 3)
    found = InferenceSession(tail_model(to_form(net, is_share=True), 13, 3)).run(None, {"x": z})[0]
    np.testing.assert_allclose(torch.from_numpy(found).softmax(1), members.softmax(2).mean(1), atol=1e-5)


@pytest.mark.parametrize("name", TABLE_PLANS)
def test_values_are_the_mean_of_the_members(name):
    z, net = rows(), network(name, 1)
    with torch.inference_mode():
        expected = net(torch.from_numpy(z)).mean(1).numpy()
    found = InferenceSession(tail_model(to_form(net, is_share=False), 13, 1)).run(None, {"x": z})[0]
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_tabm_is_the_published_one():
    net, x = network("TabM", 2), torch.randn(20, 5 * 8 + 8)
    rows_ = x[:, None].expand(-1, net.k, -1)
    np.testing.assert_allclose(net._members(x).detach(), net.head(net.body(rows_)).detach(), atol=1e-5)


def test_dropout_keeps_the_mean_and_draws_from_the_seed():
    dropout, x = ByteDropout(0.25), torch.ones(1000, 101)
    torch.manual_seed(0)
    dropped = dropout(x)
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    assert (dropped == 0).float().mean() == pytest.approx(0.25, abs=0.01)
    torch.manual_seed(0)
    assert torch.equal(dropout(x), dropped)
    assert torch.equal(dropout.eval()(x), x)
