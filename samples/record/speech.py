"""Something to say: a tone that swells and pauses like speech, as 8 kHz 16-bit mono samples."""

from __future__ import annotations

import array
import math
import wave
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RATE = 8000


def samples(seconds: float, pitch: float = 180.0) -> array.array[int]:
    """Signed 16-bit samples: syllables of 250 ms with harmonics, every fourth one silent."""
    result = array.array("h")
    for index in range(int(seconds * RATE)):
        moment = index / RATE
        syllable = int(moment / 0.25)
        if syllable % 4 == 3:
            result.append(0)
            continue
        envelope = math.sin(math.pi * (moment % 0.25) / 0.25)
        tone = pitch * (1 + 0.1 * (syllable % 3))
        value = sum(math.sin(2 * math.pi * tone * harmonic * moment) / harmonic for harmonic in (1, 2, 3, 5))
        result.append(int(9000 * envelope * value))
    return result


def write_wave(path: Path, seconds: float = 20.0, pitch: float = 180.0) -> None:
    """Write the samples as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples(seconds, pitch).tobytes())
