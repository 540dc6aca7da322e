import numpy as np

from visual_foresight.training.tracks import choose, find_tracks

NUM_FRAMES, HEIGHT, WIDTH = 13, 40, 56


TABLE = np.array(
    [[0.0, 0.01, 0.0], [0.004, 0.0, 0.0], [0.0, 0.0, 1.0]]
)  # x along columns, as the robot of the film goes


def film(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured arm moves right all the time; a textured box is taken along from frame 6 on; a third thing rests."""
    rng = np.random.default_rng(seed)
    arm, box, rest = (rng.integers(0, 255, (8, 8, 3), dtype=np.uint8) for _ in range(3))
    frames = np.full((NUM_FRAMES, HEIGHT, WIDTH, 3), 128, np.uint8)
    states = np.zeros((NUM_FRAMES, 2), np.float32)
    for t in range(NUM_FRAMES):
        frames[t, 4:12, 4 + 2 * t : 12 + 2 * t] = arm
        col = 10 + 2 * max(0, t - 6)
        frames[t, 18:26, col : col + 8] = box
        frames[t, 30:38, 40:48] = rest
        states[t] = (0.02 * t, 0)
    return frames, states


def test_points_are_followed_and_told_apart() -> None:
    tracks = find_tracks(*film(), TABLE)
    rows = tracks.places[..., 0]
    begin = tracks.valid[0]
    arm, box, rest = begin & (rows[0] < 14), begin & (rows[0] > 16) & (rows[0] < 28), begin & (rows[0] > 29)
    assert min(arm.sum(), box.sum(), rest.sum()) >= 2
    for points, shift in ((arm, 24), (box, 12), (rest, 0)):
        kept = points & tracks.valid[-1]
        moved = tracks.places[-1, kept, 1] - tracks.places[0, kept, 1]
        np.testing.assert_allclose(np.median(moved), shift, atol=0.5)
    assert tracks.is_arm[arm & tracks.valid[-1]].all()
    assert not tracks.is_arm[rest].any()
    assert not tracks.is_arm[box].any()


def test_contact_is_when_something_besides_the_arm_moves() -> None:
    contact = find_tracks(*film(), TABLE).contact()
    np.testing.assert_array_equal(contact, [step >= 6 for step in range(NUM_FRAMES - 1)])


def test_choice_prefers_what_is_pushed_and_says_what_is_missing() -> None:
    tracks = find_tracks(*film(), TABLE)
    rng = np.random.default_rng(0)
    points = choose(tracks, 5, 6, 6, rng)
    rows = tracks.places[5, points, 0]
    assert ((rows > 16) & (rows < 28)).sum() >= 3
    assert (rows > 29).any()
    few = choose(tracks, 5, 6, 500, rng)
    assert (few == -1).any()
    assert len(set(few[few >= 0])) == (few >= 0).sum()


def test_what_moves_out_of_the_fingertips_reach_belongs_to_the_arm() -> None:
    """The box moves in half of the steps only, so it counts as pushed, unless the fingertip is known to be elsewhere."""
    frames, states = film()
    for apart_m, expected in ((0.0, False), (0.5, True)):
        table = TABLE + apart_m * np.eye(3, k=2)  # adds to x
        tracks = find_tracks(frames, states, table)
        box = tracks.valid.all(0) & (tracks.places[0, :, 0] > 16) & (tracks.places[0, :, 0] < 28)
        rest = tracks.valid.all(0) & (tracks.places[0, :, 0] > 29)
        assert box.any() and rest.any()
        assert (tracks.is_arm[box] == expected).all()
        assert not tracks.is_arm[rest].any()


def test_the_arm_is_not_learnt_from() -> None:
    tracks = find_tracks(*film(), TABLE)
    points = choose(tracks, 0, 11, 40, np.random.default_rng(0))
    assert not tracks.is_arm[points[points >= 0]].any()


def test_what_was_hidden_and_looks_the_same_afterwards_rested_meanwhile() -> None:
    frames, states = film()
    frames[4:7, 28:40, 36:52] = 10  # something passes over what rests, as large as it is
    tracks = find_tracks(frames, states, TABLE)
    behind = tracks.hidden[4:7].all(0) & tracks.valid.all(0) & (tracks.places[0, :, 0] > 29)
    assert behind.sum() >= 2
    np.testing.assert_array_equal(tracks.places[5, behind], tracks.places[3, behind])
    assert not tracks.hidden[:4].any()
    assert np.isin(np.flatnonzero(behind), choose(tracks, 0, 11, 40, np.random.default_rng(0))).all()


def test_an_empty_scene_has_no_tracks() -> None:
    tracks = find_tracks(np.full((6, 16, 24, 3), 90, np.uint8), np.zeros((6, 2), np.float32), TABLE)
    assert tracks.places.shape == (6, 0, 2)
    assert not tracks.contact().any()
