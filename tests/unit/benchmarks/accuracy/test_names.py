import pytest

from tests.benchmarks.accuracy.names import same_leaf


@pytest.mark.parametrize(
    ("crop", "first", "second", "pairs"),
    [
        ("cherry", "a3e1-4a18___JR_HL 3922.JPG", "ff01___JR_HL 3925.JPG", 1),
        ("cherry", "a3e1-4a18___JR_HL 3922.JPG", "ff01___JR_HL 3926.JPG", 0),
        ("cherry", "a3e1-4a18___JR_HL 3922.JPG", "ff01___FREC_Pwd.M 3922.JPG", 0),
        ("cherry", "2d4f___JR_HL 9876 copy.JPG", "a3e1___JR_HL 9877.JPG", 1),
        ("raspberry", "pv_26f38-ae23_Mary_HL_6338_1.jpg", "pv_9ab0-2a5e_Mary_HL_6340.jpg", 1),
        ("tomato", "pv_fc5-7f88_GH_HL_Leaf_354.1.jpg", "pv_146-6e86_GH_HL_Leaf_354.jpg", 1),
        ("tomato", "pv_fc5-7f88_GH_HL_Leaf_354.1.jpg", "pv_146-6e86_GH_HL_Leaf_355.jpg", 0),
        ("tomato", "pv_late_blight_06a-470b_GHLB_PS_Leaf_15_Day_8.jpg", "pv_1_GHLB_PS_Leaf_15_Day_9.jpg", 1),
        ("tomato", "pv_late_blight_8d073_RS_Late.B_4843.jpg", "pv_late_blight_8f86a_RS_Late.B_5064.jpg", 0),
        ("tomato", "pv_late_blight_8d073_RS_Late.B_4843.jpg", "pv_late_blight_f86a_RS_Late.B_4845.jpg", 1),
        ("mango", "20211231_161454 (Custom).jpg", "20211231_161456 (Custom).jpg", 1),
        ("mango", "20211231_161454 (Custom).jpg", "IMG_20211107_161454 (Custom).jpg", 0),
        ("chilli", "cold_health_IMG_2978_2.jpg", "cold_murda__IMG_2978.jpg", 1),
        ("chilli", "cold_health_IMG_2978_2.jpg", "cold_health_IMG_2979.jpg", 0),
        ("blackgram", "bpld_126p.jpg", "bpld_127p.jpg", 1),
        ("blackgram", "bpld_126p.jpg", "bpld_127h.jpg", 0),
        ("coffee", "750_0325_0427_0222_0200.jpg", "750_1408_0426_0271_0294.jpg", 1),
        ("coffee", "ferr229.jpg", "ferr230.jpg", 0),
        ("bean", "ibean_healthy_train.22.jpg", "ibean_healthy_train.23.jpg", 0),
    ],
)
def test_names_say_which_pictures_show_one_leaf(crop: str, first: str, second: str, pairs: int) -> None:
    assert same_leaf([first, second], [crop, crop]) == [(0, 1)] * pairs


def test_names_of_two_crops_are_apart() -> None:
    assert same_leaf(["x___JR_HL 1.JPG", "y___JR_HL 1.JPG"], ["cherry", "strawberry"]) == []
