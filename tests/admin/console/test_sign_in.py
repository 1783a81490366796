from tests.admin.console.conftest import Office


def test_an_officer_signs_in_and_is_greeted(office: Office) -> None:
    page = office.desk("zhao").sign_in()
    assert page.status_code == 200, page.text
    assert "赵主任，您好" in page.text
