import pytest

pytest.register_assert_rewrite("tests.linkindex.contract", "tests.linkindex.histories")
