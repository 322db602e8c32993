SELECT '${literal}';
