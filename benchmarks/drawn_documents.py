"""Documents of many kinds, drawn: each as it is, and with one thing changed that a person would see.

A template is the same for one seed; `changed` puts one other word, figure, sign, note, hand or cell into it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# fmt: off
WORDS = (
    "account", "apple", "balance", "bread", "cable", "cheese", "copper", "date", "delivery", "door",
    "engine", "error", "field", "figure", "garden", "glass", "harbour", "invoice", "kettle", "ladder",
    "letter", "market", "meeting", "mirror", "number", "office", "orange", "paper", "pencil", "place",
    "query", "river", "salad", "school", "server", "spring", "status", "street", "sugar", "summer",
    "table", "ticket", "total", "train", "valley", "water", "window",
)
# fmt: on
Chance = np.random.Generator
INK, PAPER = (28, 28, 30), (252, 252, 250)


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that comes with Pillow."""
    return ImageFont.load_default(size_px)


def _sheet(
    width_px: int, height_px: int, color: tuple[int, int, int] = PAPER
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width_px, height_px), color)
    return image, ImageDraw.Draw(image)


def _words(chance: Chance, n: int) -> str:
    return " ".join(str(word) for word in chance.choice(WORDS, n))


def _amount(chance: Chance) -> str:
    return f"{int(chance.integers(1, 999))}.{int(chance.integers(0, 99)):02d}"


def _other_digit(text: str, chance: Chance) -> str:
    """Return a text with one digit that is another."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    place = int(chance.choice(places))
    return text[:place] + str((int(text[place]) + int(chance.integers(1, 9))) % 10) + text[place + 1 :]


def receipt(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a till receipt; changed: one digit of an amount."""
    image, pen = _sheet(560, 1200)
    pen.text((140, 40), _words(chance, 2).upper(), INK, font(34))
    rows = [(_words(chance, 2), _amount(chance)) for _ in range(20)]
    if change is not None:
        row = int(change.integers(len(rows)))
        rows[row] = rows[row][0], _other_digit(rows[row][1], change)
    for number, (text, amount) in enumerate(rows):
        pen.text((40, 120 + 50 * number), text, INK, font(24))
        pen.text((520, 120 + 50 * number), amount, INK, font(24), anchor="ra")
    return image


def form(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a form with boxes, filled in; changed: one word, or one cross."""
    image, pen = _sheet(1000, 1300)
    pen.text((60, 40), _words(chance, 3).title(), (20, 40, 110), font(44))
    texts = [_words(chance, 2) for _ in range(16)]
    crosses = chance.random(16) < 0.5
    labels = [_words(chance, 1) for _ in range(16)]
    if change is not None:
        row = int(change.integers(16))
        if change.random() < 0.5:
            texts[row] = _words(change, 2)
        else:
            crosses[row] = not crosses[row]
    for row in range(16):
        top = 140 + 70 * row
        pen.text((60, top), labels[row], (90, 90, 90), font(24))
        pen.rectangle((260, top - 8, 800, top + 40), outline=(120, 120, 120), width=2)
        pen.text((272, top), texts[row], (10, 20, 120), font(28))
        pen.rectangle((850, top, 880, top + 30), outline=INK, width=2)
        if crosses[row]:
            pen.line((854, top + 4, 876, top + 26), INK, 4)
            pen.line((876, top + 4, 854, top + 26), INK, 4)
    return image


def slide(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a slide of a talk; changed: one more line."""
    image, pen = _sheet(1280, 720, (245, 248, 255))
    pen.rectangle((0, 0, 1280, 110), fill=(30, 60, 120))
    pen.text((50, 30), _words(chance, 3).title(), "white", font(50))
    lines = [_words(chance, 4) for _ in range(4)]
    if change is not None:
        lines.append(_words(change, 4))
    for number, line in enumerate(lines):
        pen.ellipse((64, 176 + 90 * number, 80, 192 + 90 * number), fill=(30, 60, 120))
        pen.text((110, 165 + 90 * number), line, INK, font(36))
    return image


def chat(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a chat of a telephone; changed: one message."""
    image, pen = _sheet(720, 1560, (236, 229, 221))
    messages = [_words(chance, int(chance.integers(2, 5))) for _ in range(14)]
    sides = chance.random(14) < 0.5
    if change is not None:
        number = int(change.integers(14))
        messages[number] = _words(change, len(messages[number].split()))
    for number, text in enumerate(messages):
        top = 60 + 105 * number
        width = int(pen.textlength(text, font(30)))
        left = 30 if sides[number] else 690 - width - 40
        pen.rounded_rectangle(
            (left, top, left + width + 40, top + 76), 18, fill="white" if sides[number] else (220, 248, 198)
        )
        pen.text((left + 20, top + 18), text, INK, font(30))
    return image


def terminal(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a screenshot of a terminal; changed: one word."""
    image, pen = _sheet(1400, 900, (30, 30, 34))
    lines = [_words(chance, int(chance.integers(4, 11))).split() for _ in range(32)]
    if change is not None:
        row = int(change.integers(32))
        place = int(change.integers(len(lines[row])))
        lines[row][place] = next(word for word in change.permutation(WORDS) if word != lines[row][place])
    for row, line in enumerate(lines):
        pen.text((20, 16 + 27 * row), " ".join(line), (205, 210, 205), font(18))
    return image


def table(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a table of figures; changed: one figure."""
    image, pen = _sheet(1200, 800)
    cells = [[str(int(chance.integers(100, 9999))) for _ in range(7)] for _ in range(14)]
    if change is not None:
        row, column = int(change.integers(14)), int(change.integers(7))
        cells[row][column] = _other_digit(cells[row][column], change)
    for row in range(15):
        pen.line((40, 40 + 50 * row, 1160, 40 + 50 * row), (150, 150, 150), 2)
    for column in range(8):
        pen.line((40 + 160 * column, 40, 40 + 160 * column, 740), (150, 150, 150), 2)
    for row, line in enumerate(cells):
        for column, text in enumerate(line):
            pen.text((185 + 160 * column, 52 + 50 * row), text, INK, font(26), anchor="ra")
    return image


def chart(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a bar chart; changed: the height of one bar."""
    image, pen = _sheet(1000, 700)
    heights = chance.uniform(60, 480, 10)
    if change is not None:
        place = int(change.integers(10))
        heights[place] = 60 + (heights[place] - 60 + change.uniform(60, 300)) % 420
    pen.text((80, 20), _words(chance, 3).title(), INK, font(32))
    for level in range(7):
        pen.line((80, 600 - 80 * level, 960, 600 - 80 * level), (210, 210, 210), 1)
        pen.text((70, 600 - 80 * level), str(20 * level), INK, font(20), anchor="rm")
    for number, height in enumerate(heights):
        left = 100 + 86 * number
        pen.rectangle((left, 600 - height, left + 56, 600), fill=(60, 110, 180))
        pen.text((left + 28, 620), _words(chance, 1)[:4], INK, font(20), anchor="ma")
    return image


def curves(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a line chart; changed: the course of one line."""
    image, pen = _sheet(1000, 700)
    courses = [np.cumsum(chance.normal(0, 18, 60)) + 300 for _ in range(3)]
    if change is not None:
        courses[1] = np.cumsum(change.normal(0, 18, 60)) + 300
    for level in range(7):
        pen.line((80, 600 - 80 * level, 960, 600 - 80 * level), (210, 210, 210), 1)
        pen.text((70, 600 - 80 * level), str(20 * level), INK, font(20), anchor="rm")
    for course, color in zip(courses, ("firebrick", "navy", "darkgreen"), strict=True):
        points = [
            (90 + 14.6 * place, float(np.clip(600 - value, 40, 600))) for place, value in enumerate(course)
        ]
        pen.line(points, color, 4)
    return image


def sheet_music(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw staves with notes; changed: the height of one note."""
    image, pen = _sheet(1100, 900)
    notes = chance.integers(0, 9, (6, 18))
    if change is not None:
        row, place = int(change.integers(6)), int(change.integers(18))
        notes[row, place] = (notes[row, place] + int(change.integers(1, 8))) % 9
    for row in range(6):
        top = 60 + 140 * row
        for line in range(5):
            pen.line((50, top + 16 * line, 1050, top + 16 * line), INK, 2)
        for place, note in enumerate(notes[row]):
            x, y = 80 + 54 * place, top + 64 - 8 * int(note)
            pen.ellipse((x - 9, y - 7, x + 9, y + 7), fill=INK)
            pen.line((x + 8, y, x + 8, y - 46), INK, 2)
    return image


def crossword(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a crossword that is filled in; changed: one letter."""
    image, pen = _sheet(840, 840)
    letters = chance.integers(0, 26, (15, 15))
    is_black = chance.random((15, 15)) < 0.18
    if change is not None:
        row, column = (int(value) for value in change.choice(np.argwhere(~is_black)))
        letters[row, column] = (letters[row, column] + int(change.integers(1, 25))) % 26
    for row in range(15):
        for column in range(15):
            left, top = 45 + 50 * column, 45 + 50 * row
            pen.rectangle((left, top, left + 50, top + 50), INK if is_black[row, column] else PAPER, INK, 2)
            if not is_black[row, column]:
                letter = chr(65 + int(letters[row, column]))
                pen.text((left + 25, top + 26), letter, (20, 40, 130), font(30), anchor="mm")
    return image


def clock(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw the face of a clock; changed: the time."""
    image, pen = _sheet(400, 400, (230, 235, 240))
    minutes = int(chance.integers(0, 144)) * 5
    if change is not None:
        minutes = (minutes + 5 * int(change.integers(2, 142))) % 720
    pen.ellipse((30, 30, 370, 370), "white", INK, 12)
    for hour in range(12):
        x, y = math.sin(hour * math.pi / 6), -math.cos(hour * math.pi / 6)
        pen.line((200 + 140 * x, 200 + 140 * y, 200 + 155 * x, 200 + 155 * y), INK, 6)
    for angle, length, width in ((minutes / 720, 85, 14), (minutes % 60 / 60, 125, 8)):
        x, y = math.sin(angle * 2 * math.pi), -math.cos(angle * 2 * math.pi)
        pen.line((200, 200, 200 + length * x, 200 + length * y), INK, width)
    return image


def code(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a square code of black and white cells; changed: its contents."""
    cells = chance.random((33, 33)) < 0.5
    if change is not None:
        cells[9:24, 9:24] = change.random((15, 15)) < 0.5
    for top, left in ((0, 0), (0, 26), (26, 0)):
        cells[top : top + 7, left : left + 7] = True
        cells[top + 1 : top + 6, left + 1 : left + 6] = False
        cells[top + 2 : top + 5, left + 2 : left + 5] = True
    grey = np.where(np.pad(cells, 3), 15, 250).astype(np.uint8)
    return Image.fromarray(grey).resize((468, 468), Image.Resampling.NEAREST).convert("RGB")


def map_tile(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a tile of a street map; changed: the name of a street, or one street more."""
    image, pen = _sheet(768, 768, (242, 239, 233))
    streets = [chance.uniform(-60, 830, 4) for _ in range(16)]
    places = [
        (chance.uniform(40, 600), chance.uniform(40, 720), _words(chance, 1).title()) for _ in range(14)
    ]
    if change is not None and change.random() < 0.5:
        streets.append(change.uniform(0, 768, 4))
    elif change is not None:
        number = int(change.integers(14))
        name = next(str(word) for word in change.permutation(WORDS) if str(word).title() != places[number][2])
        places[number] = *places[number][:2], name.title()
    for ends, color, width in (
        (ends, c, w) for c, w in (((200, 195, 185), 13), ("white", 9)) for ends in streets
    ):
        pen.line([float(value) for value in ends], color, width)
    for x, y, name in places:
        pen.text((x, y), name, (70, 70, 70), font(20), stroke_width=2, stroke_fill="white")
    return image


def meme(
    chance: Chance, change: Chance | None, photos: tuple[str, ...] = ("astronaut", "chelsea", "coffee")
) -> Image.Image:
    """Write a caption over a photo; changed: another caption."""
    from skimage import data

    name = photos[int(chance.integers(len(photos)))]
    image = Image.fromarray(getattr(data, name)()).convert("RGB").resize((640, 560))
    pen, words = ImageDraw.Draw(image), change or chance
    for top, n in ((20, 3), (480, 2)):
        pen.text(
            (320, top),
            _words(words, n).upper(),
            "white",
            font(44),
            anchor="ma",
            stroke_width=3,
            stroke_fill="black",
        )
    return image


def card(chance: Chance, change: Chance | None) -> Image.Image:
    """Draw a card of a series: a frame, a sign and a figure; changed: the figure."""
    image, pen = _sheet(500, 700, (250, 245, 230))
    color = tuple(int(value) for value in chance.integers(20, 160, 3))
    pen.rounded_rectangle((20, 20, 480, 680), 30, outline=color, width=10)
    pen.polygon([(250, 200), (350, 350), (250, 500), (150, 350)], fill=color)
    figure = int(chance.integers(1, 10))
    if change is not None:
        figure = figure % 9 + 1
    for x, y in ((70, 80), (430, 620)):
        pen.text((x, y), str(figure), color, font(70), anchor="mm")
    return image


KINDS: dict[str, Callable[[Chance, Chance | None], Image.Image]] = {
    draw.__name__: draw
    for draw in (
        *(receipt, form, slide, chat, terminal, table, chart, curves, sheet_music, crossword, clock, code),
        *(map_tile, meme, card),
    )
}


def draw_document(kind: str, seed: int, change: int | None = None) -> Image.Image:
    """Return a document of a kind: the template of a seed, with one thing changed where `change` is a number.

    Parameters
    ----------
    kind : str          one of `KINDS`
    seed : int          of the template
    change : int or None
        seed of what is changed; None leaves the document as it is
    """
    chance = np.random.default_rng((seed, sorted(KINDS).index(kind)))
    changing = None if change is None else np.random.default_rng((seed, change, 77))
    return KINDS[kind](chance, changing)
