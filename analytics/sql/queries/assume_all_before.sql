-- Tells the next ranking whether no mark was seen after its minute.
SET VARIABLE all_before = $all_before::BOOLEAN;
