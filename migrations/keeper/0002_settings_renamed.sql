-- The optimiser's settings have the names that the statement uses. A value that was set under the new name since counts.

UPDATE OR IGNORE setting SET key = 'optimizer_blend' WHERE key = 'optimise.blend';
UPDATE OR IGNORE setting SET key = 'optimizer_target_return' WHERE key = 'optimise.target_return';
DELETE FROM setting WHERE key IN ('optimise.blend', 'optimise.target_return');
