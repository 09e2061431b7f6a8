<?php
/* Made by wrought from a .worker file: gives the worker getArgs(), getPayload() and getConfig(). */

function ironReadFile($file, $assoc)
{
    $text = file_get_contents($file);
    $value = json_decode($text, $assoc);
    return $value === null ? $text : $value;
}

function getArgs($assoc = true)
{
    global $argv;
    $args = array('task_id' => null, 'dir' => null, 'payload' => array(), 'config' => null);
    for ($i = 1; $i + 1 < count($argv); $i++) {
        $value = $argv[$i + 1];
        if ($argv[$i] == '-id') {
            $args['task_id'] = $value;
        } elseif ($argv[$i] == '-d') {
            $args['dir'] = $value;
        } elseif ($argv[$i] == '-payload' && file_exists($value)) {
            $args['payload'] = ironReadFile($value, $assoc);
        } elseif ($argv[$i] == '-config' && file_exists($value)) {
            $args['config'] = ironReadFile($value, $assoc);
        }
    }
    return $args;
}

function getPayload($assoc = true)
{
    $args = getArgs($assoc);
    return $args['payload'];
}

function getConfig($assoc = true)
{
    $args = getArgs($assoc);
    return $args['config'];
}

require dirname(__FILE__) . '/' . @EXEC@;
