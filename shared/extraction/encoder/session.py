"""The encoder's model in the runtime that runs it: on one core, without a network."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from shared.extraction.encoder.windows import Window
from shared.models import EntryType


class Session:
    """A model file, loaded; may be run by several threads at once. `kinds`: the types it tells, in its order."""

    def __init__(self, model: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.kinds = tuple(map(EntryType, self._session.get_modelmeta().custom_metadata_map["kinds"].split()))

    def run(self, window: Window) -> list[list[float]]:
        """For each amount of the stretch what the model says of it: work, each type of work, not charged."""
        marks = np.zeros((1, len(window.pieces)), dtype=np.float32)
        for _, first, last in window.amounts:
            marks[0, first : last + 1] = 1.0
        told: Any = self._session.run(
            ["says"],
            {
                "pieces": np.array([window.pieces], dtype=np.int64),
                "marks": marks,
                "rows": np.zeros(len(window.amounts), dtype=np.int64),
                "firsts": np.array([first for _, first, _ in window.amounts], dtype=np.int64),
                "lasts": np.array([last for _, _, last in window.amounts], dtype=np.int64),
            },
        )[0]
        return [[float(each) for each in row] for row in told]
