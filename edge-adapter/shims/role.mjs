import './portcullis_start.mjs'; // never finishes: the native program takes this process over
