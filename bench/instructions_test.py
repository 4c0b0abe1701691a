"""That the report of instructions says what changed, and nothing else."""

import unittest

import instructions


class Report(unittest.TestCase):
    def last_line(self, measured: dict, baseline: dict) -> str:
        return instructions.report(measured, baseline).splitlines()[-1]

    def test_what_changed_by_more_than_5_percent_is_named(self) -> None:
        baseline = {"parse": 1000, "route": 1000, "check": 1000, "rewrite": 1000}
        measured = {"parse": 1051, "route": 949, "check": 1050, "rewrite": 950}
        self.assertEqual(self.last_line(measured, baseline),
                         "  CHANGED by more than 5 %: parse (+5.1%), route (-5.1%)")

    def test_less_is_told_beside_the_baseline_alone(self) -> None:
        text = instructions.report({"check": 1040}, {"check": 1000})
        self.assertRegex(text, r"check +1,040 +1,000 +\+4\.0%")
        self.assertIn("nothing changed by more than 5 %", text)

    def test_work_without_a_baseline_has_not_changed(self) -> None:
        text = instructions.report({"parse": 7}, {})
        self.assertRegex(text, r"parse +7 +- ")
        self.assertIn("nothing changed", text)


class Counting(unittest.TestCase):
    def test_the_start_of_the_program_is_not_counted(self) -> None:
        self.assertEqual(instructions.each_time(lambda times: 5_000_000 + 321 * times), 321)

    def test_callgrinds_total_is_read(self) -> None:
        self.assertEqual(instructions.count_of(
            "version: 1\nevents: Ir\nsummary: 12\n\nfn=(1)\n0 7\ntotals: 1234567\n"), 1234567)


if __name__ == "__main__":
    unittest.main()
