"""The last step of `make setup`."""
from assistant.safety.training import fitted
from assistant.settings import Settings
from scripts import fit_safety

STEP = "[setup] safety check (about three minutes when data/safety changed)\n"


def test_a_check_that_fits_the_data_is_not_fitted_again(capsys):
    model = fitted(fit_safety.DATA, Settings.from_env().cache) / "model.json"
    before = model.stat().st_mtime_ns
    assert fit_safety.main() == 0
    assert model.stat().st_mtime_ns == before and capsys.readouterr().err == STEP


def test_data_that_cannot_be_read_is_one_clear_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fit_safety, "DATA", tmp_path)
    (tmp_path / "phrases.yml").write_text("{}")
    (tmp_path / "examples.yml").write_text("calm: hello")
    assert fit_safety.main() == 1
    assert capsys.readouterr().err == STEP + "make setup: examples.yml: has the levels calm. It needs none, concern, crisis.\n"
