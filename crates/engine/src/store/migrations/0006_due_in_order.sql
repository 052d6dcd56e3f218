-- What is due is taken in the order (due_at, id). Many rows may be due in one millisecond
-- (a schedule, a date), and with the time alone each batch would sort all of them again.

DROP INDEX enrollments_due;
CREATE INDEX enrollments_due ON enrollments (due_at, id) WHERE due_at IS NOT NULL;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (kind, due_at, id) WHERE due_at IS NOT NULL;
