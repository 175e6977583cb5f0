"""Words of the made-up web: topics, the sites that write about them, and the sentences they write."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """What a site writes about; ``things`` fill the sentences, ``tags`` name its sections."""

    name: str
    tags: tuple[str, str]
    things: tuple[str, ...]


HIKING = Topic(
    "hiking",
    ("routes", "gear"),
    ("ridge", "hut", "valley path", "summit", "map", "pass", "pair of boots", "rope bridge", "shelter"),
)
COOKING = Topic(
    "cooking",
    ("recipes", "kitchen"),
    ("sourdough", "stock pot", "lemon tart", "cast iron pan", "broth", "knife", "oven", "winter salad"),
)
CYCLING = Topic(
    "cycling",
    ("tours", "workshop"),
    ("gravel bike", "chain", "climb", "wheel", "saddle", "river route", "brake", "descent", "pump"),
)
PHOTOGRAPHY = Topic(
    "photography",
    ("light", "cameras"),
    ("lens", "tripod", "long exposure", "print", "blue hour", "filter", "portrait", "darkroom"),
)
GARDENING = Topic(
    "gardening",
    ("beds", "seasons"),
    ("compost heap", "apple tree", "seedling", "hedge", "greenhouse", "rain barrel", "rose", "bean row"),
)
ASTRONOMY = Topic(
    "astronomy",
    ("sky", "telescopes"),
    ("telescope", "eyepiece", "meteor shower", "star chart", "planet", "nebula", "dark site", "eclipse"),
)
WOODWORK = Topic(
    "woodwork",
    ("projects", "tools"),
    ("dovetail", "hand plane", "oak board", "workbench", "chisel", "finish", "chair leg", "saw"),
)
SAILING = Topic(
    "sailing",
    ("voyages", "boats"),
    ("mainsail", "harbour", "tide table", "keel", "anchorage", "knot", "headwind", "dinghy"),
)
TOPICS = (HIKING, COOKING, CYCLING, PHOTOGRAPHY, GARDENING, ASTRONOMY, WOODWORK, SAILING)

STAR = "alpine-trails.example"
DIRECTORY = "open-weekend.example"
SHOP = "summit-gear.example"
SPAM = "cheap-replicas.example"
ENGINE = "quill-engine.example"
SHORTENER = "go.link-lodge.example"
MOVED = "alps-walks.example"
CLOSED = "members-only.example"
MISSING = "gone-fishing.example"  # linked to, and there is no such host

SITES = (
    (STAR, "Alpine Trails", HIKING),
    ("blog.alpine-trails.example", "Alpine Trails Journal", HIKING),
    ("maps.alpine-trails.example", "Alpine Trails Maps", HIKING),
    (DIRECTORY, "Open Weekend Directory", HIKING),
    ("ridge-walkers.example", "Ridge Walkers Club", HIKING),
    ("forum.ridge-walkers.example", "Ridge Walkers Forum", HIKING),
    ("hut-to-hut.example", "Hut to Hut", HIKING),
    (SHOP, "Summit Gear", HIKING),
    ("boots-and-bread.example", "Boots & Bread", COOKING),
    ("slow-oven.example", "The Slow Oven", COOKING),
    ("cuisine-du-lac.example", "Cuisine du lac", COOKING),
    ("market-table.example", "Market Table", COOKING),
    ("river-wheels.example", "River Wheels", CYCLING),
    ("blog.river-wheels.example", "River Wheels Blog", CYCLING),
    ("gravel-notes.example", "Gravel Notes", CYCLING),
    ("spoke-school.example", "Spoke School", CYCLING),
    ("peak-light.example", "Peak Light", PHOTOGRAPHY),
    ("photos.peak-light.example", "Peak Light Gallery", PHOTOGRAPHY),
    ("grain-and-glass.example", "Grain & Glass", PHOTOGRAPHY),
    ("blue-hour-club.example", "Blue Hour Club", PHOTOGRAPHY),
    ("north-bed.example", "The North Bed", GARDENING),
    ("hedge-almanac.example", "Hedge Almanac", GARDENING),
    ("seed-swap.example", "Seed Swap", GARDENING),
    ("dark-site.example", "Dark Site", ASTRONOMY),
    ("valley-observatory.example", "Valley Observatory", ASTRONOMY),
    ("wiki.valley-observatory.example", "Valley Observatory Wiki", ASTRONOMY),
    ("first-light.example", "First Light", ASTRONOMY),
    ("oak-and-iron.example", "Oak and Iron", WOODWORK),
    ("quiet-plane.example", "The Quiet Plane", WOODWORK),
    ("bench-log.example", "Bench Log", WOODWORK),
    ("tide-and-tiller.example", "Tide and Tiller", SAILING),
    ("small-harbours.example", "Small Harbours", SAILING),
    ("club.small-harbours.example", "Small Harbours Club", SAILING),
    (ENGINE, "Quill, the Blog Engine", WOODWORK),
    (SPAM, "Cheap Replicas", SAILING),
    (CLOSED, "Members Only", CYCLING),
)

HEADLINES = (
    "A weekend with the {a}", "Choosing a {a} that lasts", "What the {a} taught us", "From {a} to {b}",
    "The {a}, step by step", "Seven mistakes with a {a}", "A short history of the {a}", "Why we still need a {a}",
    "Looking after your {a}", "The {a} & the {b}", "Notes on a {a} in winter", "The first {a} of the year",
)  # fmt: skip

SENTENCES = (
    "We spent a whole morning comparing the {a} with the {b}, and the difference surprised us.",
    "Nobody told us how much patience a {a} asks for.",
    "In cold weather the {a} behaves quite differently, so plan for an extra hour.",
    "A good {b} costs more than a bad one, but only once.",
    "The {a} came first, the {b} followed, and the rest was luck.",
    "Ask three people about a {a} and you will hear four opinions.",
    "Last year we would have said that a {b} is a luxury; today we disagree.",
    "Start small: one {a}, one {b} and a free afternoon.",
    "Most readers write to us about the {a}, hardly anybody about the {b}.",
    "There is no secret to the {a}, only practice.",
    "If the {b} looks worn, it is worn.",
    "We measured it twice, and the {a} was never the problem.",
)

CITATIONS = (
    "The best account of it is still {link}, which we read every spring.",
    "For the details of the {a} see {link}.",
    "According to {link}, a {b} does the job just as well.",
    "{link} has numbers that match ours closely.",
    "We first heard of this trick from {link}.",
    "Before you buy a {a}, have a look at {link}.",
)

COMMENTS = (
    "Thank you, this saved my weekend.", "I tried it with a different {a} and it worked.",
    "Great article! Visit my page for more offers.", "Does this hold for an old {b} too?",
    "We disagree about the {a}, but the rest is spot on.",
)  # fmt: skip

READERS = ("Anna", "Bertrand", "Chidi", "Dolores", "Emre", "Fumiko", "Greta", "Hamid", "Ines", "Jonas")
