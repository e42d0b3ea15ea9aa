"""The word lists of `--bias` when none are given. They are examples, in English, and each names its source."""

from dataclasses import dataclass

__all__ = ["PAIRS", "PROFESSIONS", "TESTS", "WordSets"]


@dataclass(frozen=True)
class WordSets:
    """Two sets of targets and two of attributes, each with its name."""

    name: str
    targets: tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]
    attributes: tuple[tuple[str, tuple[str, ...]], tuple[str, tuple[str, ...]]]


def _sets(name: str, x: tuple[str, str], y: tuple[str, str], a: tuple[str, str], b: tuple[str, str]) -> WordSets:
    (xs, ys), (ps, qs) = ((x[0], _split(x)), (y[0], _split(y))), ((a[0], _split(a)), (b[0], _split(b)))
    return WordSets(name, (xs, ys), (ps, qs))


def _split(named: tuple[str, str]) -> tuple[str, ...]:
    return tuple(named[1].split())


_MALE = ("male terms", "male man boy brother he him his son")
_FEMALE = ("female terms", "female woman girl sister she her hers daughter")
_ARTS = ("arts", "poetry art dance literature novel symphony drama sculpture")

# Source: Caliskan, Bryson and Narayanan 2017, "Semantics derived automatically from language corpora contain human-like
# biases", tests 1, 6, 7 and 8 of their table.
TESTS = (
    _sets(
        "flowers and insects (a control)",
        (
            "flowers",
            "aster clover hyacinth marigold poppy azalea crocus iris orchid rose bluebell daffodil lilac pansy tulip "
            "buttercup daisy lily peony violet carnation gladiola magnolia petunia zinnia",
        ),
        (
            "insects",
            "ant caterpillar flea locust spider bedbug centipede fly maggot tarantula bee cockroach gnat mosquito "
            "termite beetle cricket hornet moth wasp blackfly dragonfly horsefly roach weevil",
        ),
        (
            "pleasant",
            "caress freedom health love peace cheer friend heaven loyal pleasure diamond gentle honest lucky rainbow "
            "diploma gift honor miracle sunrise family happy laughter paradise vacation",
        ),
        (
            "unpleasant",
            "abuse crash filth murder sickness accident death grief poison stink assault disaster hatred pollute "
            "tragedy divorce jail poverty ugly cancer kill rotten vomit agony prison",
        ),
    ),
    _sets(
        "names, career and family",
        ("male names", "John Paul Mike Kevin Steve Greg Jeff Bill"),
        ("female names", "Amy Joan Lisa Sarah Diana Kate Ann Donna"),
        ("career", "executive management professional corporation salary office business career"),
        ("family", "home parents children family cousins marriage wedding relatives"),
    ),
    _sets(
        "mathematics and arts",
        ("mathematics", "math algebra geometry calculus equations computation numbers addition"),
        _ARTS,
        _MALE,
        _FEMALE,
    ),
    _sets(
        "science and arts",
        ("science", "science technology physics chemistry Einstein NASA experiment astronomy"),
        ("arts", "poetry art Shakespeare dance literature novel symphony drama"),
        ("male terms", "brother father uncle grandfather son he his him"),
        ("female terms", "sister mother aunt grandmother daughter she hers her"),
    ),
)

# Source: Bolukbasi et al. 2016, "Man is to computer programmer as woman is to homemaker?", the ten defining pairs.
PAIRS = (
    ("she", "he"),
    ("her", "his"),
    ("woman", "man"),
    ("Mary", "John"),
    ("herself", "himself"),
    ("daughter", "son"),
    ("mother", "father"),
    ("gal", "guy"),
    ("girl", "boy"),
    ("female", "male"),
)

PROFESSIONS = tuple(
    "nurse teacher librarian secretary receptionist hairdresser dancer singer actress model nanny waitress doctor "
    "surgeon lawyer judge engineer architect scientist programmer professor chef manager boss captain carpenter "
    "mechanic pilot soldier farmer policeman firefighter journalist writer artist photographer accountant dentist "
    "banker politician".split()
)
